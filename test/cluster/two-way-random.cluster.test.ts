// Random edits on both sides at once of a folder that is synced both ways: it ends equal, or in conflicts that are told, and nothing is lost.
import { execFile } from 'node:child_process'
import { rmSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { waitFor } from '../support/cluster.js'
import { appFiles, loop, treeDifferences, type Names, type Pod } from '../support/loop.js'
import type { Watching } from '../support/devloop.js'
import { listContents, randomEdits, type Ledger } from '../support/random-edits.js'

/** DEVLOOP_TEST_SEED repeats a run. */
const seed = Number(process.env.DEVLOOP_TEST_SEED ?? 20_240)

/** On each side, in place of what is usual: a multiple of the rounds. */
const wantedEdits = process.env.DEVLOOP_TEST_EDITS
const rounds = 10

const devloopfile =
  (settings: string) =>
  ({ name, namespace, base, port }: Names): string =>
    `
import { app, defineDevloop, image, sync } from 'devloop'
const web = image('${name}/web', {
  context: 'app',
  args: { BASE: '${base}' },
  live: [sync('src', '/app/src'), sync('public', '/app/public'), sync('shared', '/app/shared', { from: 'container' })],
})
export default defineDevloop(() => ({
  name: '${name}',
  cluster: { contexts: ['*'], namespace: '${namespace}' },
  settings: { ${settings} },
  resources: [app('web', { image: web, ports: { http: 8080 }, forward: { http: ${port} } })],
}))
`

for (const [how, settings, pauseMs, usualEdits] of [
  ['the agent', '', 30, 500],
  ['a shell loop', 'agent: false', 60, 200],
] as const) {
  const edits = Number(wantedEdits ?? usualEdits)
  test(`${edits} random edits on each side of a folder end equal or in conflicts that are told, and none is lost, by ${how}`, async () => {
    const one = await loop({ devloopfile: devloopfile(settings), files: { ...appFiles, 'app/shared/kept': 'kept' } })
    let watching: Watching = await one.begin()
    const here = join(one.folder, 'app/shared')
    const trash = join(one.folder, 'trash')
    await mkdir(trash)
    const gone = new Set<string>()
    const written = new Set<string>(['kept kept'])
    const done: string[] = []

    const pod = async (): Promise<Pod> => {
      const [first, ...others] = await one.pods()
      if (!first || others.length > 0) throw new Error('there is another number of pods than one')
      return first
    }
    const node = async (args: readonly string[]): Promise<string> =>
      (await promisify(execFile)(process.execPath, ['-e', ...args], { maxBuffer: 1 << 26 })).stdout
    const inPod = async (args: readonly string[]): Promise<string> => {
      const { code, stdout } = await one.exec((await pod()).name, ['node', '-e', ...args])
      if (code !== 0) throw new Error(`a program in the pod ended with ${code}`)
      return stdout
    }
    const conflicts = (): string[] =>
      watching
        .resource('web')
        ?.pods.flatMap(({ targets }) =>
          targets.flatMap(({ returns }) => returns?.conflicts?.first.map(({ path }) => path.slice('/app/shared'.length)) ?? []),
        )
        .sort() ?? []
    const both = async (): Promise<[here: string[], there: string[]]> => [
      JSON.parse(await node([listContents, here])) as string[],
      JSON.parse(await inPod([listContents, '/app/shared'])) as string[],
    ]

    /** When it is quiet, only what is told as a conflict differs, and everything that anybody wrote is there or was taken away by somebody. */
    const check = async (): Promise<void> => {
      let differing: string[] = []
      await waitFor(
        async () => {
          if (watching.session()?.ready !== true || watching.changes().some(({ outcome }) => outcome === 'pending')) return false
          const [mine, its] = [await one.tree('app/shared'), await one.treeOf((await pod()).name, '/app/shared')]
          const told = new Set(conflicts())
          differing = treeDifferences(mine, its).filter((line) => !told.has(/\["([^"]*)"/.exec(line)?.[1] ?? ''))
          return differing.length === 0
        },
        { what: 'both sides to be equal but for what is told', everyMs: 200, timeoutMs: 60_000 },
      ).catch((thrown: unknown) => {
        throw new Error(`${String(thrown)}\n${differing.join('\n')}\ntold: ${conflicts().join(', ')}`)
      })
      const [mine, its] = await both()
      const there = new Set([...mine, ...its])
      const absent = [...written].filter((line) => !there.has(line) && !gone.has(line))
      if (absent.length === 0) return
      // a folder may be moved into the trash while a file is being written into it
      const [trashed, itsTrashed] = [await node([listContents, trash]), await inPod([listContents, '/app/trash'])]
      const inTrash = [...(JSON.parse(trashed) as string[]), ...(JSON.parse(itsTrashed) as string[])]
      const lost = absent.filter((line) => {
        const [content] = / (?:here|there|->) [^]*$/.exec(line) ?? [line]
        return !inTrash.some((other) => other.endsWith(content))
      })
      if (lost.length > 0) throw new Error(`lost: ${lost.join(', ')}`)
    }

    for (let round = 0; round < rounds; round++) {
      const editing = [
        node([randomEdits, here, trash, `${seed + round}`, `${edits / rounds}`, 'here', `${pauseMs}`]),
        inPod([randomEdits, '/app/shared', '/app/trash', `${seed + 1000 + round}`, `${edits / rounds}`, 'there', `${pauseMs}`]),
      ]
      if (round % 4 === 1) {
        done.push(`round ${round}: devloop is killed`)
        watching.child.kill('SIGKILL')
        await watching.ended
        watching = await one.watch()
      }
      for (const text of await Promise.all(editing)) {
        const ledger = JSON.parse(text) as Ledger
        for (const line of ledger.written) written.add(line)
        for (const line of ledger.removed) gone.add(line)
      }
      done.push(`round ${round}: ${conflicts().length} conflicts`)
      await check().catch((thrown: unknown) => {
        throw new Error(`seed ${seed}, ${done.join('; ')}\n${String(thrown)}\n${watching.output().slice(-20_000)}`)
      })
      if (round % 4 !== 3) continue
      // every other conflict is decided for each side; then another pod gets what there is, and nothing more
      const [mine, its] = await both()
      for (const [number, path] of conflicts().entries()) {
        const lost = (number % 2 === 0 ? mine : its).filter((line) => line.startsWith(`${path.slice(1)} `))
        for (const line of lost) gone.add(line)
        if (number % 2 === 0) rmSync(join(here, path), { recursive: true, force: true })
        else await inPod(["require('fs').rmSync(process.argv[1], { recursive: true, force: true })", `/app/shared${path}`])
      }
      await waitFor(() => conflicts().length === 0, { what: 'no conflict to be left', timeoutMs: 60_000 }).catch(
        (thrown: unknown) => {
          throw new Error(`${String(thrown)}: ${conflicts().join(', ')}\n${watching.output().slice(-20_000)}`)
        },
      )
      await check()
      const before = await one.tree('app/shared')
      const old = await pod()
      await one.connection.request('DELETE', `/api/v1/namespaces/${one.namespace}/pods/${old.name}`, {
        query: { gracePeriodSeconds: 1 },
      })
      await waitFor(async () => (await one.pods()).every(({ name }) => name !== old.name), {
        what: 'another pod',
        timeoutMs: 60_000,
      })
      await watching.until('web', ({ ready, pods }) => ready && pods.every(({ name }) => name !== old.name), 60_000)
      expect(await one.tree('app/shared')).toEqual(before)
      expect(await one.treeOf((await pod()).name, '/app/shared')).toEqual(before)
    }

    // nothing goes round: what devloop itself wrote leads to nothing more
    const last = (): string => JSON.stringify(watching.changes().map(({ name }) => name))
    const [changes, tree] = [last(), await one.tree('app/shared')]
    await writeFile(join(here, 'end'), 'end')
    await waitFor(async () => (await one.treeOf((await pod()).name, '/app/shared')).some(([path]) => path === '/end'), {
      what: 'the end',
    })
    await new Promise((resolve) => setTimeout(resolve, 5_000))
    expect(
      watching
        .changes()
        .filter(({ name }) => !changes.includes(`"${name}"`))
        .map(({ paths }) => paths),
    ).toEqual([['app/shared/end']])
    expect(await one.tree('app/shared')).toHaveLength(tree.length + 1)
  }, 600_000)
}
