// Live rules with options, on real files and processes.
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { homes, project, put, watch } from '../support/devloop.js'
import { waitFor } from '../support/wait-for.js'

const devloopfile = (live: string) => `
import { app, defineDevloop, image, run, sync } from 'devloop'
export default defineDevloop({
  name: 'steps',
  resources: [app('web', { image: image('steps/web', { live: [${live}] }), process: { command: ['sleep', '3600'] } })],
})
`
const files = {
  Dockerfile: 'FROM scratch\nWORKDIR /app\n',
  'src/word.txt': 'one',
  'src/notes.md': 'notes',
  'src/draft/word.txt': 'draft',
}

async function begin(live: string) {
  const env = await homes()
  const folder = await project({ ...files, 'Devloopfile.ts': devloopfile(live) })
  const watching = await watch(['--runtime', 'process'], { cwd: folder, env })
  await watching.ready()
  return { watching, save: (name: string, text: string) => put(join(folder, name), text) }
}

test('a step that is marked so ends when more is saved, and runs again with that; others run to their end', async () => {
  const step = `for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do [ "$(cat src/word.txt)" = slow ] && sleep 1; done; echo "$1 $(cat src/word.txt)" >> ran.txt; echo "$1 ran with $(cat src/word.txt)"`
  const one = await begin(
    `sync('src', '/app/src'), run(['sh', '-c', ${JSON.stringify(step)}, 'sh', 'build'], { on: 'src/word.txt', cancelOnChange: true }), run('echo after', { on: 'src/word.txt' })`,
  )
  await one.save('src/word.txt', 'slow')
  await waitFor(() => one.watching.output().includes('running sh -c'), { what: 'the step to run', timeoutMs: 20_000 })
  await one.save('src/word.txt', 'quick')
  await waitFor(() => one.watching.output().includes('build ran with quick'), {
    what: 'the step to run again',
    timeoutMs: 20_000,
  })
  await waitFor(() => one.watching.output().includes('was ended, since more was saved'), { what: 'its end to be told' })
  await waitFor(() => one.watching.output().includes('running echo after'), { what: 'the step after it to run' })
  await one.watching.ready()
  expect(one.watching.output()).not.toContain('ran with slow')
  expect(one.watching.output().match(/running echo after/g)).toHaveLength(1)
})

test('a sync takes what its patterns name, and the rest is rebuilt', async () => {
  const one = await begin(`sync('src', '/app/src', { include: '**/*.txt', exclude: 'src/draft' }), run('cat src/word.txt')`)
  const records = () => one.watching.output().match(/building steps\/web/g)?.length ?? 0
  const built = records()
  await one.save('src/word.txt', 'two')
  await waitFor(() => /run │ two|two$/m.test(one.watching.output()), {
    what: 'the step to print what was synced',
    timeoutMs: 20_000,
  })
  expect(records()).toBe(built)
  await one.save('src/draft/word.txt', 'more')
  await waitFor(() => records() > built, { what: 'a build', timeoutMs: 20_000 })
})
