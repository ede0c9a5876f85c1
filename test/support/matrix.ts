// Live sync in one kind of container: every operation on files, one after the other, and after each what the container holds, what
// `devloop verify` says of it and what `devloop why` says of the file. A cell that cannot work has its one error.
import { randomBytes } from 'node:crypto'
import { chmod, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect } from 'vitest'
import type { ErrorCode } from '../../src/errors/codes.js'
import { oddNames } from '../contract/sync-samples.js'
import { testRegistry, waitFor } from './cluster.js'
import type { Watching } from './devloop.js'
import { gnuUserland } from './gnu-userland.js'
import { withKubeTools } from './kube-tools.js'
import { loop, treeDifferences, type Names, type Tree } from './loop.js'
import { tarTree } from './tar-tree.js'
import { workload } from './workloads.js'

/** One kind of container. */
export interface Kind {
  readonly name: string
  /** The base image: with Node, busybox alone, this machine's GNU tools, or another image with `sh`, `sleep` and `tar`. Default: Node. */
  readonly userland?: 'node' | 'busybox' | 'gnu' | { readonly image: string }
  /** More lines of the Dockerfile: after its files, or before them where everything is built. */
  readonly dockerfile?: string
  /** More of the pod's spec; IMAGE stands for the image of the project. */
  readonly pod?: object
  /** More of each container. */
  readonly container?: object
  readonly containers?: readonly string[]
  /** Labels of the namespace. */
  readonly labels?: Readonly<Record<string, string>>
  /** Something else than devloop deploys it: commands (`custom`), or whoever, and it is attached to. */
  readonly foreign?: 'custom' | 'attached'
  /** `false` = `settings.agent: false`. */
  readonly agent?: false
  /** Live sync cannot be used at all: this is told once, and saves are built. `says` is what `devloop why` tells with it. */
  readonly blocked?: { readonly code: ErrorCode; readonly says: readonly string[] }
  /** What `devloop why` says that carries files. Default: the agent in the pod. */
  readonly carried?: RegExp
  /** What the mode of a file becomes: one that nobody but its owner reads, unless the container's user is another. Default: 600. */
  readonly mode?: number
  /** Operations that fail with this until what they did is taken back. */
  readonly fails?: Readonly<Partial<Record<OperationName, ErrorCode>>>
}

export const synced = '/app/data'

/** Of the base image with Node: nothing but Node is left. */
export const noShell = `RUN ["node", "-e", "require('fs').rmSync('/bin', { recursive: true })"]`

/** A pod spec with a volume at the synced folder, to which the files of the image are copied first. */
export const onVolume = (emptyDir: object = {}): Pick<Kind, 'pod' | 'container'> => ({
  pod: {
    volumes: [{ name: 'data', emptyDir }],
    initContainers: [
      {
        name: 'copy',
        image: 'IMAGE',
        command: ['sh', '-c', `cp -a ${synced}/. /copy/`],
        volumeMounts: [{ name: 'data', mountPath: '/copy' }],
      },
    ],
  },
  container: { volumeMounts: [{ name: 'data', mountPath: synced }] },
})

interface Files {
  readonly mode: number
  write(name: string, content: string | Buffer): Promise<void>
  at(name: string): string
}

interface Operation {
  /** A file that it is about. */
  readonly path: string
  do(files: Files): Promise<void>
}

const many = Array.from({ length: 1000 }, (_, n) => `many/${n % 20}/${n}.js`)
const odd = oddNames.filter((name) => name !== '~')

/** In this order: what one leaves behind is taken up by the next. */
const operations = {
  create: { path: 'new.txt', do: ({ write }) => write('new.txt', 'new') },
  change: {
    path: 'new.txt',
    async do({ write }) {
      await write('new.txt', 'NEW')
      await write('first.txt', 'changed')
    },
  },
  delete: {
    path: 'new.txt',
    async do({ at }) {
      await rm(at('new.txt'))
      await rm(at('folder/gone.txt'))
    },
  },
  rename: {
    path: 'renamed/inside.txt',
    async do({ at }) {
      await rename(at('first.txt'), at('second.txt'))
      await rename(at('folder'), at('renamed'))
    },
  },
  mode: {
    path: 'second.txt',
    async do({ at, mode }) {
      await chmod(at('second.txt'), 0o755)
      await chmod(at('keep.txt'), mode)
    },
  },
  symlink: {
    path: 'link',
    async do({ at }) {
      await symlink('second.txt', at('link'))
      await symlink('nowhere', at('renamed/dangling'))
    },
  },
  'nested new folder': { path: 'a/b/c/deep.txt', do: ({ write }) => write('a/b/c/deep.txt', 'deep') },
  '0 bytes': {
    path: 'empty',
    async do({ write }) {
      await write('empty', '')
      await write('second.txt', '')
    },
  },
  '20 MB': { path: 'big.bin', do: ({ write }) => write('big.bin', randomBytes(20 << 20)) },
  '1,000 files': {
    path: 'many/1/1.js',
    async do({ write, at }) {
      await rm(at('big.bin'), { force: true })
      for (const name of many) await write(name, `// ${name}\n`.padEnd(2000, 'x'))
    },
  },
  'odd names': {
    path: "odd/it's",
    async do({ write, at }) {
      await rm(at('many'), { recursive: true, force: true })
      for (const name of odd) await write(`odd/${name}`, name)
      for (const name of odd.slice(0, 20)) await write(`folders/${name}/file`, name)
    },
  },
  'file becomes folder': {
    path: 'second.txt/file',
    async do({ write, at }) {
      await rm(at('odd'), { recursive: true })
      await rm(at('second.txt'))
      await write('second.txt/file', 'in it')
    },
  },
  'folder becomes file': {
    path: 'a',
    async do({ write, at }) {
      await rm(at('a'), { recursive: true })
      await write('a', 'a file now')
      await rm(at('renamed'), { recursive: true })
      await symlink('a', at('renamed'))
    },
  },
} satisfies Record<string, Operation>
export type OperationName = keyof typeof operations

/** What a row goes through. */
export const cells = [...(Object.keys(operations) as OperationName[]), 'what the commands tell', 'a change by hand'] as const

/** What fails is taken back by this. */
const takenBack: Readonly<Partial<Record<OperationName, readonly string[]>>> = { '20 MB': ['big.bin'], '1,000 files': ['many'] }

/**
 * All operations on one kind of container, with one daemon.
 * @returns the cells that hold, in order; where live sync cannot be used, a change by hand is not told
 */
export async function row(kind: Kind): Promise<string[]> {
  const { foreign, labels, blocked, fails, carried = /^agent$/, mode = 0o600, userland = 'node', containers = ['main'] } = kind
  const registry = await testRegistry()
  const one = await loop({
    devloopfile: (names) => devloopfile(kind, names, registry),
    files: { ...sources('app', kind, registry), ...(foreign === 'attached' ? sources('built', kind, registry) : {}) },
    env: foreign ? await withKubeTools() : {},
  })
  if (userland === 'gnu') gnuUserland(join(one.folder, foreign === 'attached' ? 'built/root' : 'app/root'))
  if (foreign) {
    await one.save('deploy/main.json', JSON.stringify(deployment(kind)))
    await one.save('apply.sh', 'set -e\nsed -e "s|IMAGE|$DEVLOOP_IMAGE_0|g" deploy/main.json | kubectl apply -f - -o yaml\n')
  }
  if (labels)
    await one.connection.request('PATCH', `/api/v1/namespaces/${one.namespace}`, {
      body: { metadata: { labels } },
      contentType: 'application/merge-patch+json',
    })
  const watching = await one.begin()
  const at = (name: string): string => join(one.folder, 'app/data', name)
  const files: Files = {
    mode,
    at,
    async write(name, content) {
      await mkdir(dirname(at(name)), { recursive: true })
      await writeFile(at(name), content)
    },
  }
  const held = (pod: string, container: string): Promise<Tree> =>
    userland === 'node' ? one.treeOf(pod, synced, container) : tarTree(one, pod, synced, container)
  const podNames = (): string[] => (watching.resource('main')?.pods ?? []).filter((pod) => pod.current).map(({ name }) => name)
  const targets = () => (watching.resource('main')?.pods ?? []).flatMap((pod) => pod.targets)
  const warnings = (): readonly string[] => (watching.resource('main')?.warnings ?? []).map(({ code }) => code)

  /** Wait until every container holds what is here, and devloop says so. */
  const same = async (): Promise<void> => {
    let last = ''
    await waitFor(
      async () => {
        last = 'not ready, or a change is pending'
        if (!watching.session()?.ready || watching.changes().some(({ outcome }) => outcome === 'pending')) return false
        const pods = podNames()
        const here = await one.tree('app/data')
        const found: string[] = []
        for (const pod of pods)
          for (const container of containers) found.push(...treeDifferences(here, await held(pod, container)))
        last = found.slice(0, 20).join('\n')
        return pods.length > 0 && found.length === 0
      },
      { what: 'the container to hold the sources', timeoutMs: 60_000, everyMs: 50 },
    ).catch((thrown: unknown) => {
      throw new Error(`${String(thrown)}: ${last}`)
    })
  }
  const why = async (name: string) => {
    const { answers } = await watching.client.request('why', { path: at(name) })
    expect(answers).toHaveLength(1)
    return answers[0]
  }
  /** What `devloop verify` says of a row that works. */
  const verified = async (): Promise<void> => {
    const { targets: found } = await watching.client.request('verify', {})
    // a pod that was replaced may still be on its way out
    expect([...new Set(found.map(({ container }) => container))].sort()).toEqual([...containers].sort())
    for (const target of found) {
      if (blocked)
        expect(target.error).toMatchObject({
          code: 'request/refused',
          why: expect.stringContaining('Live sync cannot work there') as string,
        })
      else expect(target).toMatchObject({ differences: [], differing: 0, unknown: 0 })
      expect(target.error === undefined).toBe(blocked === undefined)
    }
  }
  const before = podNames()
  for (const [name, operation] of Object.entries(operations) as [OperationName, Operation][]) {
    const error = fails?.[name]
    await cell(kind, name, watching, async () => {
      await operation.do(files)
      if (error) {
        await waitFor(() => targets().every((target) => target.state === 'failed' && target.error?.code === error), {
          what: error,
          timeoutMs: 60_000,
        })
        const answer = await why(operation.path)
        expect(answer).toMatchObject({ action: 'sync' })
        expect(answer?.effects.join('\n')).toContain(`(${error})`)
        const { targets: found } = await watching.client.request('verify', {})
        expect(found.every(({ differing }) => differing > 0)).toBe(true)
        for (const back of takenBack[name] ?? []) await rm(at(back), { recursive: true })
      }
      await same()
      await verified()
      const answer = await why(operation.path)
      if (blocked) {
        expect(answer).toMatchObject({ action: 'rebuild', effects: [expect.stringContaining(blocked.code), expect.anything()] })
        expect(warnings()).toContain(blocked.code)
      } else {
        expect(answer?.action).toBe('sync')
        expect(answer?.effects).toContain(`written to ${synced}/${operation.path}`)
        expect(answer?.effects.join('\n')).not.toContain('fails now')
        expect(warnings()).toEqual([])
      }
    })
  }
  await cell(kind, 'what the commands tell', watching, async () => {
    const [verify, why, status] = [
      await one.devloop('verify'),
      await one.devloop('why', 'app/data/keep.txt'),
      await one.devloop('status'),
    ]
    if (blocked) {
      // the same error everywhere, with what would help
      const [warning] = (watching.resource('main')?.warnings ?? []).filter(({ code }) => code === blocked.code)
      for (const { stdout } of [verify, why, status]) expect(stdout).toContain(warning?.message)
      expect(why.stdout).toContain(`live sync cannot be used (${blocked.code}): ${warning?.message}`)
      expect(why.stdout).toContain(warning?.help)
      for (const part of blocked.says) expect(why.stdout).toContain(part)
      expect(verify).toMatchObject({ code: 1, stdout: expect.stringContaining('nothing could be compared') as string })
      return
    }
    expect(verify).toMatchObject({ code: 0, stderr: '' })
    expect(verify.stdout.match(/all \d+ paths are in sync/g)).toHaveLength(containers.length)
    expect(/carried by: (.*)/.exec(why.stdout)?.[1]).toMatch(carried)
    expect(status.stdout.match(/^  \S+\/\S+ +in sync +\S/gm)).toHaveLength(containers.length)
  })
  if (blocked) return cells.slice(0, -1)
  expect(podNames()).toEqual(before)
  expect(watching.output().match(/│ building /g)).toHaveLength(1)

  // a difference that somebody made is told; a save of the file makes it good
  await cell(kind, 'a change by hand', watching, async () => {
    const change =
      userland === 'node'
        ? ['node', '-e', `require('fs').writeFileSync('${synced}/keep.txt', 'by hand\\n')`]
        : ['sh', '-c', `echo by hand > ${synced}/keep.txt`]
    for (const container of containers) expect(await one.exec(podNames()[0] ?? '', change, container)).toMatchObject({ code: 0 })
    const verify = await one.devloop('verify')
    expect(verify.code).toBe(1)
    expect(verify.stdout.match(/1 of \d+ paths differ/g)).toHaveLength(containers.length)
    expect(verify.stdout.split(`\n  ${synced}/keep.txt: should be a file of 4 bytes`)).toHaveLength(containers.length + 1)
    await files.write('keep.txt', 'saved again')
    await same()
    await verified()
  })
  return [...cells]
}

async function cell(kind: Kind, name: string, watching: Watching, work: () => Promise<void>): Promise<void> {
  await work().catch((thrown: unknown) => {
    const views = [...watching.client.views().values()].filter((view) => view.kind !== 'change')
    throw new Error(
      `${kind.name} × ${name}: ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}\n${JSON.stringify(views, undefined, 1)}\n${watching.output()}`,
    )
  })
}

const command = {
  // as its first process node does not end by SIGTERM unless it is told to
  node: `CMD ["node", "-e", "process.on('SIGTERM', () => process.exit()); setInterval(() => {}, 1e6)"]`,
  sh: `CMD ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 1; done"]`,
}

/** The context of an image as it is at first. */
const sources = (context: string, kind: Kind, registry: string): Record<string, string> => ({
  [`${context}/Dockerfile`]: dockerfile(kind, registry),
  [`${context}/data/first.txt`]: 'first',
  [`${context}/data/keep.txt`]: 'kept',
  [`${context}/data/folder/gone.txt`]: 'gone soon',
  [`${context}/data/folder/inside.txt`]: 'inside',
})

function dockerfile({ userland = 'node', dockerfile: more = '', blocked }: Kind, registry: string): string {
  const from = {
    node: `FROM ${process.env.DEVLOOP_TEST_IMAGE ?? `${registry}/testbed/node:20`}`,
    busybox: `FROM ${registry}/testbed/busybox:1`,
    gnu: 'FROM scratch\nCOPY root /',
  }
  const base = typeof userland === 'string' ? from[userland] : `FROM ${userland.image}`
  // where everything is built again and again, only what is saved is
  const steps = blocked ? [more, 'COPY data data'] : ['COPY data data', more]
  return `${base}\nWORKDIR /app\n${steps.join('\n')}\n${command[userland === 'node' ? 'node' : 'sh']}\n`
}

const deployment = ({ pod, container, containers = ['main'] }: Kind): object =>
  workload('apps/v1', 'Deployment', 'main', {
    terminationGracePeriodSeconds: 1,
    containers: containers.map((name) => ({ name, image: 'IMAGE', ...container })),
    ...pod,
  })

function devloopfile(kind: Kind, { name, namespace }: Names, registry: string): string {
  const objects = JSON.stringify(deployment(kind)).replaceAll('IMAGE', `${name}/main`)
  const live = `live: [sync('data', '${synced}')]`
  const deployed = (own: string): string => `custom('${own}', { images: [main], watch: 'deploy/**', apply: 'sh apply.sh' })`
  const resources = {
    custom: deployed('main'),
    // to devloop it is the same who deploys it: nobody tells the attached resource
    attached: `${deployed('deployed')}, attach('deployment/main', { context: 'app', ${live}, rebuildAfter: ['deployed'] })`,
    own: `manifests('main', ${objects}, { images: [main] })`,
  }
  const context = kind.foreign === 'attached' ? `context: 'built'` : `context: 'app', ${live}`
  return `
import { attach, custom, defineDevloop, image, manifests, sync } from 'devloop'
const main = image('${name}/main', { ${context} })
export default defineDevloop(() => ({
  name: '${name}', cluster: { contexts: ['*'], namespace: '${namespace}', registry: '${registry}' },
  settings: { agent: ${kind.agent ?? true} },
  resources: [${resources[kind.foreign ?? 'own']}],
}))
`
}
