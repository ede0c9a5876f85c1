import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished, vi } from 'vitest'
import { notify, type Notification } from '../../../../src/cli/notify/notify.js'
import { waitFor } from '../../../support/wait-for.js'
import { createFakeClient } from '../fake-client.js'
import { buildError, resource, session } from '../views.js'

async function begin(ways: readonly string[], withTerminal: boolean) {
  const folder = await mkdtemp(join(tmpdir(), 'notify-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const client = createFakeClient()
  const problems: string[] = []
  let rung = ''
  const terminal = withTerminal ? { write: (text: string | Uint8Array) => ((rung += String(text)), true) } : undefined
  const named = ways.map((way) => way.replace('FOLDER', folder))
  const end = notify(client, { ways: named, terminal, onProblem: (text) => problems.push(text), gatherMs: 1 })
  onTestFinished(end)
  const failed = resource('api', {
    status: 'failed',
    ready: false,
    error: { ...buildError, message: 'it is "broken" $(x)\nin two lines' },
  })
  return {
    folder,
    problems,
    rung: () => rung,
    fail: () => client.update([session(), failed, resource('web', { status: 'failed', ready: false, error: buildError })]),
    mend: () => client.update([session(), resource('api'), resource('web')]),
  }
}

it('rings the terminal, once for what fails together', async () => {
  const one = await begin(['bell'], true)
  one.fail()
  await waitFor(() => one.rung() !== '', { what: 'the bell' })
  one.fail()
  one.mend()
  await waitFor(() => one.rung().length > 1, { what: 'the second' })
  expect([one.rung(), one.problems]).toEqual(['\x07\x07', []])
})

it('gives a command the whole as JSON', async () => {
  const one = await begin(['cat >> FOLDER/told'], false)
  one.fail()
  const text = await waitFor(() => readFile(join(one.folder, 'told'), 'utf8'), { what: 'what was told' })
  expect(JSON.parse(text) as Notification).toMatchObject({
    project: 'shop',
    text: `api failed: it is "broken" $(x) in two lines; web failed: ${buildError.message}`,
    notices: [
      { event: 'failed', subject: 'api', error: { code: 'build/failed' } },
      { event: 'failed', subject: 'web' },
    ],
  })
})

it.runIf(process.platform === 'linux')('shows a notification of the desktop, in which nothing is run', async () => {
  const one = await begin(['desktop'], false)
  await writeFile(join(one.folder, 'notify-send'), `#!/bin/sh\nprintf '%s\\n' "$@" > ${one.folder}/shown\n`)
  await chmod(join(one.folder, 'notify-send'), 0o755)
  vi.stubEnv('PATH', `${one.folder}:${process.env.PATH}`)
  onTestFinished(() => void vi.unstubAllEnvs())
  one.fail()
  const shown = await waitFor(async () => (await readFile(join(one.folder, 'shown'), 'utf8')) || undefined, { what: 'it shown' })
  expect(shown).toContain('--\ndevloop: shop\napi failed: it is "broken" $(x) in two lines')
})

it('tells of a way that does not work once', async () => {
  const one = await begin(['bell', 'desktop', 'exit 3'], false)
  vi.stubEnv('PATH', '/nowhere')
  onTestFinished(() => void vi.unstubAllEnvs())
  one.fail()
  await waitFor(() => one.problems.length >= 3, { what: 'the problems' })
  one.mend()
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(one.problems.toSorted()).toEqual([
    '--notify bell: there is no terminal to ring',
    expect.stringMatching(/^--notify desktop: there is no (notify-send|osascript) in PATH$/),
    expect.stringMatching(/^--notify exit 3: /),
  ])
})
