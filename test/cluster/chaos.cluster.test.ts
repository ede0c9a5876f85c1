// Chaos: sources are edited at random while pods, processes, connections, the API server and devloop itself come and go. Whenever it
// is quiet, every container holds exactly what is in the sources, and `devloop verify` says so.
//
//   CHAOS_SEED     a number; the same one means the same edits and incidents in the same order. Default: 1
//   CHAOS_SECONDS  how long, at least; each kind of incident comes once in any case. Default: 60
//
// So, for ten minutes: CHAOS_SECONDS=600 CHAOS_SEED=7 npx vitest run --project cluster test/cluster/chaos.cluster.test.ts
import { setTimeout as sleep } from 'node:timers/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { chaosEdits } from '../support/chaos-edits.js'
import { proxiedCluster, waitFor } from '../support/cluster.js'
import type { Watching } from '../support/devloop.js'
import { loop, treeDifferences, type Names, type Pod } from '../support/loop.js'
import { seeded } from '../support/seeded.js'

const seed = Number(process.env.CHAOS_SEED ?? 1)
const seconds = Number(process.env.CHAOS_SECONDS ?? 60)
/** How long the API server is out of reach. Seconds. */
const outage = 30
/** How long anything may take to be right again: Kubernetes itself waits before it starts a crashed container. Seconds. */
const patience = 180

const roots = ['src', 'public'] as const

/** Two pods of an app, and a pod of two containers, one of which has its files on a volume that outlives it. */
const devloopfile = ({ name, namespace, base, port }: Names): string => `
import { app, defineDevloop, image, manifests, restart, sync } from 'devloop'
const web = image('${name}/web', {
  context: 'app', args: { BASE: '${base}' },
  live: [sync('src', '/app/src'), sync('public', '/app/public'), restart({ on: 'src/*' })],
})
const container = (name: string, port: string, more = {}) => ({ name, image: '${name}/web', env: [{ name: 'PORT', value: port }], ...more })
const labels = { app: 'pair' }
export default defineDevloop(() => ({
  name: '${name}',
  cluster: { contexts: ['*'], namespace: '${namespace}' },
  resources: [
    app('web', { image: web, ports: { http: 8080 }, forward: { http: ${port} }, replicas: 2 }),
    manifests('pair', {
      apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'pair' },
      spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: {
        terminationGracePeriodSeconds: 1,
        volumes: [{ name: 'public', emptyDir: {} }],
        initContainers: [{ name: 'copy', image: '${name}/web', command: ['sh', '-c', 'cp -a /app/public/. /work/'], volumeMounts: [{ name: 'public', mountPath: '/work' }] }],
        containers: [
          container('left', '8081'),
          container('right', '8082', { volumeMounts: [{ name: 'public', mountPath: '/app/public' }] }),
        ],
      } } },
    }, { images: [web] }),
  ],
}))
`

/** Kills one of the processes of a container that are not its first: the number says which. */
const killProcess = `
const { readdirSync, readFileSync } = require('fs')
const pids = readdirSync('/proc').filter((one) => /^\\d+$/.test(one) && one !== '1' && Number(one) !== process.pid).map(Number).sort((a, b) => a - b)
const pid = pids[Number(process.argv[1]) % pids.length]
if (pid !== undefined) {
  process.stdout.write(readFileSync('/proc/' + pid + '/cmdline', 'utf8').split('\\0').join(' ').slice(0, 60))
  process.kill(pid, 'SIGKILL')
}
`

test(
  'random edits and branch switches while everything comes and goes: all containers end up with the sources [tilt-13]',
  async () => {
    const random = seeded(seed)
    const cluster = await proxiedCluster()
    onTestFinished(() => cluster.close())
    const one = await loop({ devloopfile, env: { KUBECONFIG: cluster.kubeconfig.file } })
    const edits = await chaosEdits(join(one.folder, 'app'), roots, random)
    let watching: Watching = await one.begin()

    const begun = Date.now()
    const elapsed = (): number => (Date.now() - begun) / 1000
    const journal: string[] = []
    const count = { edits: 0, quiet: 0, slowest: 0 }
    const note = (what: string): void => void journal.push(`${elapsed().toFixed(2)} ${what}`)
    let word = 0

    /** Some edits, with pauses or none. */
    const editing = async (times: number, pauseMs: number): Promise<void> => {
      for (let n = 0; n < times; n++) {
        note(random.below(12) === 0 ? await edits.switchBranch() : await edits.edit())
        count.edits++
        const pause = random.below(pauseMs)
        if (random.below(3) === 0) await sleep(pause)
      }
    }
    const pods = async (): Promise<readonly (Pod & { resource: string })[]> => {
      const found = await Promise.all(
        ['web', 'pair'].map(async (resource) => (await one.pods(resource)).map((pod) => ({ ...pod, resource }))),
      )
      return found.flat()
    }
    /** A container that may be killed: after a few times Kubernetes would wait for minutes before it starts it again. */
    const victim = async (): Promise<{ pod: string; container: string } | undefined> => {
      const number = random.below(1000)
      const all = (await pods()).flatMap((pod) =>
        pod.containers.map(({ name, restarts }) => ({ pod: pod.name, container: name, restarts })),
      )
      const chosen = all[number % Math.max(1, all.length)]
      if (!chosen || chosen.restarts < 2) return chosen
      note(`delete ${chosen.pod}, which was restarted twice`)
      await deletePod(chosen.pod)
      return undefined
    }
    const deletePod = (name: string): Promise<unknown> =>
      one.connection.request('DELETE', `/api/v1/namespaces/${one.namespace}/pods/${name}`, { query: { gracePeriodSeconds: 1 } })

    const incidents: Readonly<Record<string, () => Promise<string>>> = {
      'delete a pod': async () => {
        const number = random.below(1000)
        const all = await pods()
        const { name = '' } = all[number % Math.max(1, all.length)] ?? {}
        if (name !== '') await deletePod(name)
        return name
      },
      'kill the first process of a container': async () => {
        const chosen = await victim()
        // the process that asks may be gone before it can say so
        if (chosen) await one.exec(chosen.pod, ['kill', '1'], chosen.container).catch(() => {})
        return chosen ? `${chosen.pod}/${chosen.container}` : ''
      },
      'kill some process of a container': async () => {
        const [chosen, number] = [await victim(), random.below(1000)]
        if (!chosen) return ''
        const killed = await one
          .exec(chosen.pod, ['node', '-e', killProcess, String(number)], chosen.container)
          .catch((thrown: unknown) => ({ stdout: String(thrown) }))
        return `${chosen.pod}/${chosen.container}: ${killed.stdout}`
      },
      'drop all connections': async () => {
        cluster.proxy.drop()
        return ''
      },
      'connections that lead nowhere': async () => {
        cluster.proxy.strand()
        return ''
      },
      'the API server out of reach': async () => {
        const how = random.one(['cut', 'freeze'] as const)
        note(how)
        cluster.proxy[how]()
        const until = elapsed() + outage
        for (let n = 0; n < 15; n++) {
          await editing(2, 100)
          await sleep(Math.max(0, ((until - elapsed()) * 1000) / (15 - n)))
        }
        cluster.proxy.restore()
        return `${how}, and back`
      },
      'SIGKILL for devloop': async () => {
        watching.child.kill('SIGKILL')
        await watching.ended
        await editing(4, 60)
        watching = await one.watch()
        return ''
      },
      'a change that no rule covers': async () => {
        await one.save('app/package.json', JSON.stringify({ type: 'module', version: `${random.below(1e6)}.0.0` }))
        return ''
      },
    }

    /** What is not as it should be; undefined = all is. */
    const wrong = async (): Promise<string | undefined> => {
      if (watching.session()?.ready !== true) return 'not everything is ready'
      // one that failed stays so, also when what it failed with was overtaken
      const pending = watching.changes().find(({ outcome }) => outcome === 'pending')
      if (pending) return `a change is pending: ${pending.paths.join(', ')}`
      const containers = (await pods()).flatMap((pod) => pod.containers.map(({ name }) => [pod.name, name] as const))
      if (containers.length !== 4) return `there are ${containers.length} containers`
      const found = await Promise.all(
        containers.flatMap(([pod, container]) =>
          roots.map(async (root) => {
            const lines = treeDifferences(await one.tree(`app/${root}`), await one.treeOf(pod, `/app/${root}`, container))
            return lines.map((line) => `${pod}/${container} /app/${root}: ${line}`)
          }),
        ),
      )
      return found.flat().length === 0 ? undefined : found.flat().slice(0, 40).join('\n')
    }
    const quiet = async (): Promise<void> => {
      await one.save('app/src/word.txt', `word ${++word}`)
      const from = elapsed()
      let last: string | undefined
      await waitFor(async () => (last = await wrong()) === undefined, {
        what: 'all containers to hold the sources',
        timeoutMs: patience * 1000,
        everyMs: 200,
      }).catch((thrown: unknown) => {
        throw new Error(`${String(thrown)}: ${last}`, { cause: thrown })
      })
      await one.answers(`word ${word}`)
      // what is deleted while it is sent is no failure of anything
      expect(watching.output()).not.toContain('[sync/source]')
      const verified = await one.devloop('verify')
      if (verified.code !== 0)
        throw new Error(`devloop verify sees a difference that is not there: ${verified.stdout}${verified.stderr}`)
      count.quiet++
      count.slowest = Math.max(count.slowest, elapsed() - from)
      note(`quiet after ${(elapsed() - from).toFixed(1)} s`)
    }
    const check = (): Promise<void> =>
      quiet().catch((thrown: unknown) => {
        const output = watching.output().split('\n').slice(-120).join('\n')
        const views = JSON.stringify([...watching.client.views().values()].filter(({ kind }) => kind !== 'change'))
        throw new Error(`CHAOS_SEED=${seed}\n${journal.slice(-60).join('\n')}\n${output}\n${views}\n\n${String(thrown)}`)
      })

    for (let pass = 0; pass === 0 || elapsed() < seconds; pass++) {
      for (const what of random.shuffled(Object.keys(incidents))) {
        if (pass > 0 && elapsed() >= seconds) break
        await editing(6, 60)
        note(`*** ${what}`)
        note(`*** ${await incidents[what]?.()}`)
        await editing(6, 60)
        // in long runs, one does not wait for the other
        if (pass === 0 || random.below(2) === 0) await check()
      }
    }
    await check()
    if (process.env.CHAOS_SECONDS)
      console.log(
        `seed ${seed}: ${elapsed().toFixed(0)} s, ${count.edits} edits, ${count.quiet} quiet points, the slowest ${count.slowest.toFixed(1)} s`,
      )

    // what it says is not said of anything
    const all = await pods()
    for (const pod of all)
      for (const { name } of pod.containers) await one.exec(pod.name, ['sh', '-c', 'echo by hand > /app/public/live.txt'], name)
    const { code, stdout } = await one.devloop('verify')
    expect([code, stdout.match(/^ {2}\/app\/public\/live.txt: should be a file of/gm)?.length]).toEqual([1, 4])
    expect(stdout.match(/: 1 of \d+ paths differ/g)).toHaveLength(4)
  },
  (seconds + 600) * 1000,
)
