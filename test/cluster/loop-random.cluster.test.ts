// Whatever is done, in whatever order and however fast: when it is quiet again, every container holds the local content.
import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { proxiedCluster, waitFor } from '../support/cluster.js'
import type { Watching } from '../support/devloop.js'
import { devloopfile, loop } from '../support/loop.js'

/** DEVLOOP_TEST_SEED repeats a run, DEVLOOP_TEST_ROUNDS makes it longer. */
const seed = Number(process.env.DEVLOOP_TEST_SEED ?? randomBytes(3).readUIntBE(0, 3))
const rounds = Number(process.env.DEVLOOP_TEST_ROUNDS ?? 4)

/** Numbers that look random and are the same for the same seed. */
function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5) | 0
    return (state >>> 8) % below
  }
}

test(
  'random edits, with pods, connections and daemons that go',
  async () => {
    const pick = numbers(seed)
    const cluster = await proxiedCluster()
    onTestFinished(() => cluster.close())
    const one = await loop({
      devloopfile: devloopfile('replicas: 2'),
      env: { KUBECONFIG: cluster.kubeconfig.file },
    })
    let watching: Watching = await one.begin()
    const at = (name: string): string => join(one.folder, 'app/public', name)
    const names = ['a', 'b', 'c', 'd/a', 'd/b', 'd/e/f', 'g h/i', 'g h/j', 'k']
    const name = (): string => names[pick(names.length)] ?? 'a'
    const clear = (file: string): void => {
      // whatever stands in the way of its folders
      for (let folder = dirname(file); folder.length > at('').length; folder = dirname(folder))
        if (existsSync(folder) && !statSync(folder).isDirectory()) rmSync(folder)
      rmSync(file, { recursive: true, force: true })
      mkdirSync(dirname(file), { recursive: true })
    }
    const done: string[] = []
    let word = 0
    const edits: Readonly<Record<string, () => void | Promise<void>>> = {
      write: () => {
        const file = at(name())
        clear(file)
        writeFileSync(file, randomBytes(pick(3000)))
      },
      big: () => {
        const file = at(name())
        clear(file)
        writeFileSync(file, randomBytes(3_000_000))
      },
      remove: () => rmSync(at(name()), { recursive: true, force: true }),
      'remove folder': () => rmSync(at(['d', 'g h', 'd/e'][pick(3)] ?? 'd'), { recursive: true, force: true }),
      rename: () => {
        const [from, to] = [at(name()), at(`moved/${pick(3)}`)]
        if (!existsSync(from)) return
        clear(to)
        renameSync(from, to)
      },
      'rename folder': () => {
        const [from, to] = [at('d'), at(`moved folder ${pick(2)}`)]
        if (!existsSync(from)) return
        rmSync(to, { recursive: true, force: true })
        renameSync(from, to)
      },
      mode: () => {
        for (const file of readdirSync(at('')).slice(0, 3))
          if (statSync(at(file)).isFile()) chmodSync(at(file), [0o644, 0o755, 0o600][pick(3)] ?? 0o644)
      },
      link: () => {
        const file = at(name())
        clear(file)
        symlinkSync('live.txt', file)
      },
      word: () => one.save('app/src/word.txt', `word ${++word}`),
    }
    const incidents: Readonly<Record<string, () => Promise<unknown>>> = {
      'delete a pod': async () => {
        const pods = await one.pods()
        return one.connection.request('DELETE', `/api/v1/namespaces/${one.namespace}/pods/${pods[pick(pods.length)]?.name}`, {
          query: { gracePeriodSeconds: 1 },
        })
      },
      'drop connections': async () => cluster.proxy.drop(),
      'kill devloop': async () => {
        watching.child.kill('SIGKILL')
        await watching.ended
        watching = await one.watch()
      },
      rebuild: () => one.save('app/public/rebuild/x', randomBytes(5)),
    }
    for (let round = 0; round < rounds; round++) {
      for (let n = 0; n < 12; n++) {
        const [title, edit] = Object.entries(edits)[pick(Object.keys(edits).length)] ?? []
        done.push(title ?? '')
        await edit?.()
        if (pick(3) === 0) await new Promise((resolve) => setTimeout(resolve, pick(60)))
        if (n === 6) {
          const [what, incident] = Object.entries(incidents)[pick(Object.keys(incidents).length)] ?? []
          done.push(`*${what}*`)
          await incident?.()
        }
      }
      await edits.word?.()
      const check = async (): Promise<void> => {
        await waitFor(
          () =>
            watching.session()?.ready === true &&
            watching.changes().every(({ outcome }) => outcome !== 'pending' && outcome !== 'failed') &&
            watching.resource('web')?.pods.filter((pod) => pod.current).length === 2,
          { what: 'everything to be live', timeoutMs: 60_000 },
        )
        for (const pod of await one.pods()) {
          for (const folder of ['src', 'public']) await one.same(pod.name, `app/${folder}`, `/app/${folder}`)
        }
        await one.answers(`word ${word}`)
      }
      await check().catch((thrown: unknown) => {
        throw new Error(`seed ${seed}, round ${round}: ${done.join(', ')}\n${String(thrown)}\n${watching.output()}`)
      })
      expect((await one.pods()).length).toBe(2)
    }
  },
  60_000 + rounds * 30_000,
)
