import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { contextNames, currentContext } from '../../../src/scaffold/current-context.js'

it('takes the contexts of all files, and the current one of the first that has one', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kubeconfigs-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const write = async (name: string, text: string): Promise<string> => {
    await writeFile(join(folder, name), text)
    return join(folder, name)
  }
  const files = [
    await write('one', 'contexts: [{ name: kind-dev }, { name: shared }, null, { name: 7 }]\n'),
    join(folder, 'not-there'),
    await write('broken', '{'),
    await write('empty', ''),
    await write('two', 'current-context: staging\ncontexts: [{ name: shared }, { name: staging }]\n'),
    await write('odd', 'contexts: none\n'),
  ]
  const env = { KUBECONFIG: files.join(':') }
  expect(contextNames(env)).toEqual(['kind-dev', 'shared', 'staging'])
  expect(currentContext(env)).toBe('staging')
  expect(contextNames({ KUBECONFIG: join(folder, 'not-there') })).toEqual([])
})
