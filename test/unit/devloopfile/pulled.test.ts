// Images that are only pulled: in the plan, by their rules, and what is wrong with them.
import { expect, test } from 'vitest'
import { computeDrift } from '../../../src/model/drift.js'
import { compileLiveRules } from '../../../src/model/live-rules.js'
import { imageInputs } from '../../../src/model/keys.js'
import { project } from './project.js'

const made = (body: string, resources: string) =>
  project({
    'site/index.html': 'hello',
    'Devloopfile.ts': `
import { app, defineDevloop, ignore, image, rebuildOn, restart, sync } from 'devloop'
${body}
export default defineDevloop({ name: 'shop', resources: [${resources}] })
`,
  })

test('the whole tree is to be synced, and what no rule covers leads to nothing', async () => {
  const one = made(
    `const a = image('a', { from: 'nginx:1.27', context: 'site', live: [ignore('*.md'), sync('pages', '/srv')] })
const b = image('b', { from: 'nginx:1.27', context: 'site', initialSync: false, live: [sync('.', '/srv')] })`,
    `app('a', { image: a }), app('b', { image: b })`,
  )
  const { images } = await one.plan()
  const { a, b } = images
  expect([a?.pulled, b?.pulled]).toEqual([
    { ref: 'nginx:1.27', initialSync: true },
    { ref: 'nginx:1.27', initialSync: false },
  ])
  if (!a || !b) throw new Error('no images')
  // another reference is another image
  expect(imageInputs(a, '')).not.toBe(imageInputs({ ...a, pulled: { ref: 'nginx:1.28', initialSync: true } }, ''))
  const rules = compileLiveRules(a)
  const file = { kind: 'file', hash: 'x', mode: 0o644, size: 1 } as const
  const tree = new Map(['pages/a.html', 'other.txt', 'notes.md'].map((path) => [path, file] as const))
  const drift = computeDrift(tree, new Map(), rules)
  expect([[...drift.overlay.keys()], drift.rebuild.size]).toEqual([['/srv/a.html'], 0])
  expect(rules.classify('other.txt')).toMatchObject({ action: 'ignore', why: 'no sync covers it, and the image is only pulled' })
})

test('what is wrong with them', async () => {
  const one = made(
    `const a = image('a', { from: 'nginx 1', context: 'site', live: [sync('.', '/srv')] })
const b = image('b', { from: 'nginx', context: 'site', dockerfile: 'x', tags: ['y'], live: [sync('.', '/srv'), rebuildOn('x')] } as any)
const c = image('c', { from: 'nginx', context: 'site' })
const d = image('d', { context: 'site', dockerfile: { inline: 'FROM scratch' }, initialSync: true })
const e = image('e', { from: 'nginx', context: 'site', initialSync: 'yes', live: [sync('.', '/srv'), restart()] } as any)
const f = image('f', { from: 'nginx', context: 'site', live: [sync('.', '/srv'), restart({ signal: 'SIGHUP' })] })`,
    `app('a', { image: a }), app('b', { image: b }), app('c', { image: c }), app('d', { image: d }), app('e', { image: e }),
  app('e2', { image: e, command: ['x'] }), app('f', { image: f })`,
  )
  expect(await one.errors()).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:3:11
    image 'a': \`from\` must be a reference such as 'nginx:1.27-alpine'.
    Received 'nginx 1'.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:4:11
    image 'b': \`dockerfile\` is for an image that is built, and \`from\` names one that is not.
    -> Remove \`dockerfile\`, or \`from\`.

    devloopfile/invalid at Devloopfile.ts:4:11
    image 'b': \`tags\` is for an image that is built, and \`from\` names one that is not.
    -> Remove \`tags\`, or \`from\`.

    devloopfile/invalid at Devloopfile.ts:4:112
    image 'b': \`rebuildOn\` has nothing to build: the image is only pulled.
    -> Remove the rule, or \`from\`.

    devloopfile/invalid at Devloopfile.ts:5:11
    image 'c': it is only pulled, and no \`sync\` brings anything into it.
    -> Add a sync to \`live\`, or give the reference itself as the app's \`image\`.

    devloopfile/invalid at Devloopfile.ts:6:11
    image 'd': \`initialSync\` is for an image that is only pulled.
    One that is built holds its context.
    -> Remove it, or give \`from: 'REFERENCE'\`.

    devloopfile/invalid at Devloopfile.ts:7:11
    image 'e': \`initialSync\` must be true or false.
    Received 'yes'.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:7:102
    restart of image 'e': app 'e' needs a \`command\`.
    nginx is only pulled: what it starts is not known here.
    -> Give app 'e' the \`command\` that is to be restarted."
  `)
})
