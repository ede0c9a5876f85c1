// What a Devloopfile can do wrong while it is bundled and evaluated: one clear error each, and the next load is as good as ever.
import { expect, test } from 'vitest'
import { devloopfile, project } from './project.js'

const good = devloopfile('')

test('there is no Devloopfile', async () => {
  const { errors } = project({})
  expect(await errors()).toMatchInlineSnapshot(`
    "devloopfile/not-found
    There is no Devloopfile at Devloopfile.ts.
    -> Create a Devloopfile.ts in the project, or name one with --file."
  `)
})

test('a syntax error', async () => {
  const { errors } = project({ 'Devloopfile.ts': `import { app } from 'devloop'\nconst x = {\n  a: 1,,\n}\n` })
  expect(await errors()).toMatchInlineSnapshot(`
    "devloopfile/syntax at Devloopfile.ts:3:8
    Expected identifier but found ",".
    a: 1,,
    -> Correct the line that the error names."
  `)
})

test('a syntax error in an imported module', async () => {
  const { errors } = project({ 'Devloopfile.ts': `import './lib/a.js'\n${good}`, 'lib/a.ts': 'export const größe = = 1\n' })
  expect(await errors()).toMatchInlineSnapshot(`
    "devloopfile/syntax at lib/a.ts:1:22
    Unexpected "=".
    export const größe = = 1
    -> Correct the line that the error names."
  `)
})

test('a missing file', async () => {
  const { errors } = project({ 'Devloopfile.ts': `import { a } from './lib/a.js'\na()\n${good}` })
  expect(await errors()).toMatchInlineSnapshot(`
    "devloopfile/import at Devloopfile.ts:1:19
    Cannot find './lib/a.js', which Devloopfile.ts imports.
    import { a } from './lib/a.js'
    -> Correct the path, or create the file."
  `)
})

test('a missing package', async () => {
  const { errors } = project({ 'Devloopfile.ts': `import a from '@acme/presets/node'\nconsole.log(a)\n${good}` })
  expect(await errors()).toMatchInlineSnapshot(`
    "devloopfile/import at Devloopfile.ts:1:15
    Cannot find the package '@acme/presets/node', which Devloopfile.ts imports.
    import a from '@acme/presets/node'
    -> Install it (npm install --save-dev @acme/presets), or correct its name."
  `)
})

test('a name that devloop does not export', async () => {
  const { errors } = project({
    'Devloopfile.ts': `import { defineDevlop } from 'devloop'\nexport default defineDevlop(() => ({}))`,
  })
  expect(await errors()).toMatchInlineSnapshot(`
    "devloopfile/import at Devloopfile.ts:1:10
    devloop exports no 'defineDevlop'.
    import { defineDevlop } from 'devloop'
    -> Did you mean 'defineDevloop'?"
  `)
})

test('a name that a module does not export', async () => {
  const { errors } = project({
    'Devloopfile.ts': `import { b } from './a.js'\nconsole.log(b)\n${good}`,
    'a.ts': 'export const a = 1',
  })
  expect(await errors()).toMatchInlineSnapshot(`
    "devloopfile/import at Devloopfile.ts:1:10
    a.ts exports no 'b'.
    import { b } from './a.js'
    -> Correct the name, or export it from a.ts."
  `)
})

test('a thrown error, in an imported module', async () => {
  const { errors } = project({
    'Devloopfile.ts': devloopfile('  fail()\n').replace('import', `import { fail } from './lib/fail.js'\nimport`),
    'lib/fail.ts': `interface A { b: number }\n\nexport function fail(): A {\n  throw new Error('no luck', { cause: new TypeError('bad day') })\n}\n`,
  })
  expect(await errors()).toMatchInlineSnapshot(`
    "devloopfile/threw at lib/fail.ts:4:9
    Devloopfile.ts threw: no luck
    Caused by: TypeError: bad day
    -> Correct the line that the error names."
  `)
})

test('an error of the language', async () => {
  const { errors } = project({ 'Devloopfile.ts': devloopfile('  const x: any = undefined\n  x.y.z()\n') })
  expect(await errors()).toMatchInlineSnapshot(`
    "devloopfile/threw at Devloopfile.ts:4:5
    Devloopfile.ts threw: TypeError: Cannot read properties of undefined (reading 'y')
    -> Correct the line that the error names."
  `)
})

test('something thrown that is no error', async () => {
  const { errors } = project({ 'Devloopfile.ts': devloopfile(`  throw { code: 7 }\n`) })
  expect(await errors()).toMatchInlineSnapshot(`
    "devloopfile/threw
    Devloopfile.ts threw: { code: 7 }
    -> Correct the line that the error names."
  `)
})

// time enough for a thread to begin on a busy machine
test('an endless loop', async () => {
  const { errors } = project(
    { 'Devloopfile.ts': devloopfile('  let i = 0\n  while (true) {\n    i += 1\n  }\n') },
    { timeoutMs: 2000 },
  )
  expect((await errors()).replace(/:[56]:\d+/, ':LOOP')).toMatchInlineSnapshot(`
    "devloopfile/timeout at Devloopfile.ts:4:3
    Devloopfile.ts did not finish within 2 s.
    It was still running at this place: an endless loop, or much work.
    -> Look for an endless loop, or for an await that never ends."
  `)
})

test('an endless loop through the API', async () => {
  const { errors } = project({ 'Devloopfile.ts': devloopfile(`  while (true) image('a')\n`) }, { timeoutMs: 2000 })
  expect(await errors()).toMatch(/devloopfile\/timeout at Devloopfile\.ts:3:/)
})

test('a wait that takes too long', async () => {
  const { errors } = project(
    { 'Devloopfile.ts': asyncFile('await new Promise((resolve) => setTimeout(resolve, 60_000))') },
    { timeoutMs: 300 },
  )
  expect(await errors()).toMatchInlineSnapshot(`
    "devloopfile/timeout at Devloopfile.ts:1
    Devloopfile.ts did not finish within 0.3 s.
    It was waiting: for a promise, a timer or the network.
    -> Look for an endless loop, or for an await that never ends."
  `)
})

test('a promise that never settles', async () => {
  const { errors } = project({ 'Devloopfile.ts': asyncFile('await new Promise(() => {})') })
  expect(await errors()).toMatchInlineSnapshot(`
    "devloopfile/timeout at Devloopfile.ts:1
    Devloopfile.ts waits for a promise that can never settle.
    Nothing was left to do, and there was no result.
    -> Look for an await whose promise nobody resolves."
  `)
})

test('a promise at the top that never settles', async () => {
  const { errors } = project({ 'Devloopfile.ts': `await new Promise(() => {})\n${good}` })
  expect(await errors()).toContain('waits for a promise that can never settle')
})

test('a rejection that nobody handles', async () => {
  const { errors } = project({ 'Devloopfile.ts': devloopfile(`  void Promise.reject(new Error('lost'))`) })
  expect(await errors()).toMatchInlineSnapshot(`
    "devloopfile/threw at Devloopfile.ts:3:23
    A promise was rejected and nobody handled it: lost
    -> Put \`await\` before the call that the error names, or catch its error."
  `)
})

test('process.exit', async () => {
  const { errors } = project({ 'Devloopfile.ts': devloopfile('  process.exit(3)') })
  expect(await errors()).toMatchInlineSnapshot(`
    "devloopfile/threw at Devloopfile.ts:3:11
    Devloopfile.ts called process.exit(3).
    -> Throw an Error instead, with a message that says what is wrong."
  `)
})

test('more memory than there is', async () => {
  const { errors } = project(
    { 'Devloopfile.ts': devloopfile('  const all = []\n  for (;;) all.push(new Array(100_000).fill(all.length))') },
    { memoryMb: 64 },
  )
  expect(await errors()).toMatchInlineSnapshot(`
    "devloopfile/threw at Devloopfile.ts:1
    Devloopfile.ts used more than 64 MB of memory.
    -> Look for a list that grows without end."
  `)
})

test.each([
  ['no default export', 'export const a = 1', 'It has no default export.'],
  ['an object', `export default { name: 'a', resources: [] }`, 'Its default export is an object.'],
  ['a function', `export default () => 1`, 'Its default export is a function.'],
  ['another value', `import { image } from 'devloop'\nexport default image('a')`, 'Its default export is what image() made.'],
])('the wrong export: %s', async (_name, content, why) => {
  const { errors } = project({ 'Devloopfile.ts': content })
  expect(await errors()).toBe(
    `devloopfile/invalid at Devloopfile.ts:1\nDevloopfile.ts must export what defineDevloop gives, as the default.\n${why}\n-> Write: export default defineDevloop(({ user }) => ({ name: ..., resources: [...] }))`,
  )
})

test('what the project prints comes by lines, and not without end', async () => {
  const { plan, lines } = project({
    'Devloopfile.ts': devloopfile(
      `  console.log('one\\ntwo %d', 2)\n  console.error('three')\n  process.stdout.write('no newline')`,
    ),
  })
  await plan()
  expect(lines).toEqual(['one', 'two 2', 'three', 'no newline'])
  const much = project({ 'Devloopfile.ts': devloopfile(`  for (let i = 0; i < 100_000; i += 1) console.log('line', i)`) })
  await much.plan()
  expect(much.lines).toHaveLength(1_001)
  expect(much.lines.at(-1)).toBe('... the rest of the output of the Devloopfile is left out')
})

test('after each failure the next load is as good as ever', async () => {
  const { write, load, errors } = project({ 'Devloopfile.ts': good }, { timeoutMs: 2_000 })
  expect(await load()).toMatchObject({ ok: true })
  for (const bad of [
    'const a = ;',
    `import './none.js'`,
    'while (true) {}',
    `throw new Error('x')`,
    'process.exit(0)',
    'await new Promise(() => {})',
  ]) {
    write({ 'Devloopfile.ts': `${good}\n${bad}` })
    expect(await errors()).toMatch(/^devloopfile\//)
    write({ 'Devloopfile.ts': good })
    expect(await load()).toMatchObject({ ok: true })
  }
})

test('an abort ends the load at once', async () => {
  const { loader, load, write, lines } = project({ 'Devloopfile.ts': devloopfile(`  console.log('in')\n  while (true) {}`) })
  const controller = new AbortController()
  const loading = loader.load(
    { user: 'ada', args: [], runtime: 'process' },
    (line) => {
      lines.push(line)
      controller.abort()
    },
    controller.signal,
  )
  await expect(loading).rejects.toMatchObject({ name: 'AbortError' })
  write({ 'Devloopfile.ts': good })
  expect(await load()).toMatchObject({ ok: true })
})

const asyncFile = (statement: string): string =>
  `import { defineDevloop } from 'devloop'\nexport default defineDevloop(async () => {\n  ${statement}\n  return { name: 'shop', resources: [] }\n})\n`
