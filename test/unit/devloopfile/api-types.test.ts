// The types of the API accept what is right and refuse what is wrong.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

test('typing mistakes do not compile, and nothing else is refused', async () => {
  const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))
  const run = promisify(execFile)(process.execPath, [
    path('../../../node_modules/typescript/bin/tsc'),
    '-p',
    path('api-types.tsconfig.json'),
  ])
  const output = await run.then(
    ({ stdout }) => stdout,
    (error: { stdout: string }) => error.stdout,
  )
  expect(output).toBe('')
}, 60_000)
