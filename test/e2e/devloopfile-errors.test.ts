// Mistakes in the Devloopfile while the daemon runs: one clear error each, the last good plan goes on, a good save heals it.
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Watching } from '../support/devloop.js'
import { errorText } from '../support/error-text.js'
import { waitFor } from '../support/wait-for.js'
import { wordApp, type WordApp } from '../support/word-app.js'

let words: WordApp
beforeEach(async () => void (words = await wordApp()))

const failed = async (watching: Watching): Promise<string> => {
  await waitFor(() => watching.session()?.devloopfile.state === 'failed', { what: 'the load to fail', timeoutMs: 20_000 })
  return errorText(watching.session()?.devloopfile.error, { [`${words.folder}/`]: '', [String(words.port)]: 'PORT' })
}

/** While a mistake is in force: what was there goes on, and is still kept up to date. */
const stillRuns = async (watching: Watching, generation: number): Promise<void> => {
  expect(watching.session()?.devloopfile.generation).toBe(generation)
  expect(watching.resource('words')).toMatchObject({ status: 'ready', ready: true })
  await words.save('app/src/word.txt', 'saved meanwhile')
  await words.answers('saved meanwhile ')
}

const healed = async (watching: Watching, generation: number): Promise<void> => {
  await words.answers('saved meanwhile healed')
  await waitFor(() => watching.session()?.ready === true, { what: 'all to be ready again' })
  expect(watching.session()?.devloopfile).toMatchObject({ state: 'ok', generation })
  expect(watching.session()?.devloopfile.error).toBeUndefined()
  expect(watching.child.exitCode).toBeNull()
}

describe('while all runs', () => {
  /** Make a mistake in the Devloopfile; go on as before; heal it. @returns the error */
  const mistake = async (text: string): Promise<string> => {
    const watching = await words.watch()
    await watching.ready()
    await words.answers('one ')
    await words.save('Devloopfile.ts', text)
    const error = await failed(watching)
    await stillRuns(watching, 1)
    await words.save('Devloopfile.ts', words.devloopfile({ extra: 'healed' }))
    await healed(watching, 2)
    return error
  }

  test('a syntax error', async () => {
    expect(await mistake(words.devloopfile({ body: 'const x = {{ a: 1 }' }))).toMatchInlineSnapshot(`
      "devloopfile/syntax at Devloopfile.ts:5
      Expected identifier but found "{".
      const x = {{ a: 1 }
      -> Correct the line that the error names."
    `)
  })

  test('an unknown key', async () => {
    expect(await mistake(words.devloopfile().replace('forward:', 'forwards:'))).toMatchInlineSnapshot(`
      "devloopfile/invalid at Devloopfile.ts:9
      app 'words': there is no option \`forwards\`.
      Received forwards: PORT. Options: image, port, ports, forward, env, envFrom, command, args, replicas, readiness, job, headless, aliases, portVariables, volumes, probe, workdir, user, pod, expose, serviceAccount, debug, process, needs, rebuildAfter, labels, auto, trigger and enabled.
      -> Did you mean 'forward'?"
    `)
  })

  test('a wrong type', async () => {
    expect(await mistake(words.devloopfile().replace('port: 8080', "port: '8080'"))).toMatchInlineSnapshot(`
      "devloopfile/invalid at Devloopfile.ts:9
      app 'words': \`port\` must be a whole number from 1 to 65535.
      Received '8080'.
      -> Correct the value that the error names."
    `)
  })

  test('a cycle in needs', async () => {
    const parts = {
      imports: "import { local } from 'devloop'",
      resources: "local('a', { run: 'true', needs: ['b'] }), local('b', { run: 'true', needs: ['a'] }),",
    }
    expect(await mistake(words.devloopfile(parts))).toMatchInlineSnapshot(`
      "devloopfile/cycle at Devloopfile.ts:16
      Resources need each other in a circle: a -> b -> a.
      -> Remove one of the \`needs\` or \`rebuildAfter\` that the error lists."
    `)
  })

  test('an endless loop', async () => {
    const parts = { body: 'let turns = 0\n  while (turns >= 0) turns++' }
    expect(await mistake(words.devloopfile(parts))).toMatchInlineSnapshot(`
      "devloopfile/timeout at Devloopfile.ts:6
      Devloopfile.ts did not finish within 10 s.
      It was still running at this place: an endless loop, or much work.
      -> Look for an endless loop, or for an await that never ends."
    `)
  })

  test('a thrown error', async () => {
    expect(await mistake(words.devloopfile({ body: "throw new Error('no luck today')" }))).toMatchInlineSnapshot(`
      "devloopfile/threw at Devloopfile.ts:5
      Devloopfile.ts threw: no luck today
      -> Correct the line that the error names."
    `)
  })

  test('saves are served while a Devloopfile runs and runs', async () => {
    const watching = await words.watch()
    await watching.ready()
    await words.save('Devloopfile.ts', words.devloopfile({ body: 'for (;;) {}' }))
    await waitFor(() => watching.session()?.devloopfile.state === 'loading', { what: 'the load to begin' })
    await words.save('app/src/word.txt', 'two')
    await words.answers('two ')
    expect(watching.session()?.devloopfile.state).toBe('loading')
    // nor is the end of that load waited for when there is something newer
    await words.save('Devloopfile.ts', words.devloopfile({ extra: 'healed' }))
    await words.answers('two healed')
    expect(watching.output()).not.toContain('devloopfile/timeout')
  })

  test('an import that is missing, until the file is made', async () => {
    const watching = await words.watch()
    await watching.ready()
    await words.save(
      'Devloopfile.ts',
      words.devloopfile({ imports: "import { extra } from './lib/extra.js'", extra: "' + extra + '" }),
    )
    expect(await failed(watching)).toMatchInlineSnapshot(`
      "devloopfile/import at Devloopfile.ts:3
      Cannot find './lib/extra.js', which Devloopfile.ts imports.
      import { extra } from './lib/extra.js'
      -> Correct the path, or create the file."
    `)
    await stillRuns(watching, 1)
    await mkdir(join(words.folder, 'lib'))
    await words.save('lib/extra.ts', "export const extra = 'healed'\n")
    await healed(watching, 2)
  })

  test('the Devloopfile is gone, until it is back', async () => {
    const watching = await words.watch()
    await watching.ready()
    await rm(join(words.folder, 'Devloopfile.ts'))
    expect(await failed(watching)).toMatchInlineSnapshot(`
      "devloopfile/not-found
      There is no Devloopfile at Devloopfile.ts.
      -> Create a Devloopfile.ts in the project, or name one with --file."
    `)
    await stillRuns(watching, 1)
    await words.save('Devloopfile.ts', words.devloopfile({ extra: 'healed' }))
    await healed(watching, 2)
  })
})

describe('at the start', () => {
  test('a bad Devloopfile keeps the daemon waiting for a good one', async () => {
    await words.save('Devloopfile.ts', words.devloopfile().replace('forward:', 'forwards:'))
    const watching = await words.watch()
    expect(await failed(watching)).toContain('devloopfile/invalid at Devloopfile.ts:')
    expect(watching.session()).toMatchObject({ ready: false, devloopfile: { generation: 0 } })
    const status = await words.run('status', '--wait', 'ready', '--timeout', '1s')
    expect([status.code, status.stdout + status.stderr]).toEqual([1, expect.stringContaining('forwards')])
    await words.save('Devloopfile.ts', words.devloopfile())
    await words.answers('one ')
    await waitFor(() => watching.session()?.ready === true, { what: 'all to be ready' })
  })

  test('a missing import, until the file is made', async () => {
    await words.save(
      'Devloopfile.ts',
      words.devloopfile({ imports: "import { extra } from './extra.js'", extra: "' + extra + '" }),
    )
    const watching = await words.watch()
    expect(await failed(watching)).toContain("Cannot find './extra.js'")
    await words.save('extra.ts', "export const extra = 'made'\n")
    await words.answers('one made')
  })
})
