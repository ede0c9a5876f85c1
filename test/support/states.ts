// States for tests of the store: a small plan, and what has happened to it so far.
import type { Plan, ResourceSpec, ImageSpec } from '../../src/model/plan.js'
import type { RecordState, State } from '../../src/model/state.js'
import type { NewAction } from '../../src/store/store.js'
import type { Action } from '../../src/store/actions.js'
import { initialState } from '../../src/store/initial-state.js'
import { reduce } from '../../src/store/reduce.js'
import { plainGraph } from './plain-graph.js'

const at = { file: '/p/Devloopfile.ts', line: 1 }

export const imageSpec = (name: string, over: Partial<ImageSpec> = {}): ImageSpec => ({
  name,
  context: `/p/${name}`,
  dockerfile: { path: `/p/${name}/Dockerfile` },
  args: {},
  live: [{ kind: 'sync', from: 'src', to: '/app/src', at }],
  at,
  ...over,
})

export const appSpec = (name: string, over: Partial<Extract<ResourceSpec, { kind: 'app' }>> = {}): ResourceSpec => ({
  kind: 'app',
  name,
  image: { built: name },
  ports: { http: 8080 },
  env: {},
  replicas: 1,
  ...plainGraph,
  forward: [],
  at,
  ...over,
})

export const plan = (resources: readonly ResourceSpec[], images: readonly ImageSpec[] = []): Plan => ({
  name: 'shop',
  file: '/p/Devloopfile.ts',
  root: '/p',
  cluster: { contexts: [] },
  settings: {
    parallel: { builds: 2, deploys: 8, locals: 4 },
    prune: { keep: 3, maxAge: 168 },
    ci: { timeoutMs: 1_800_000, readinessTimeoutMs: 300_000, graceMs: 0 },
    agent: true,
  },
  images: Object.fromEntries(images.map((one) => [one.name, one])),
  resources: Object.fromEntries(resources.map((one) => [one.name, one])),
})

export const record = (digest: string): RecordState => ({
  digest,
  ref: `registry/${digest}`,
  inputs: 'in',
  shell: true,
  builtAt: 1,
})

/** Plays actions, one millisecond apart. */
export function play(state: State, ...actions: readonly NewAction[]): State {
  return actions.reduce((now, action, index) => reduce(now, { ...action, at: 1000 + index } as Action), state)
}

export const freshState = (runtime: 'kubernetes' | 'process' = 'kubernetes'): State =>
  initialState(
    { instance: 'i', version: '0', pid: 1, startedAt: 1, runtime, args: [], only: [], others: 'deleted' },
    '/p/Devloopfile.ts',
  )

export const loaded = (value: Plan): NewAction => ({ type: 'devloopfile/loaded', wanted: 1, plan: value, loadMs: 1 })
export const connected: NewAction = { type: 'runtime/connected', deployed: [] }
export const scanned = (image: string, over: { overlay?: number; rebuild?: number; needsRebuild?: boolean } = {}): NewAction => ({
  type: 'image/sources',
  image,
  files: 3,
  inputs: 'in',
  needsRebuild: over.needsRebuild ?? false,
  drift: { overlay: over.overlay ?? 0, rebuild: over.rebuild ?? 0 },
})
export const pod = (
  resource: string,
  over: {
    uid?: string
    image?: string
    ref?: string
    ready?: boolean
    template?: string
    containerId?: string
    rolledOut?: boolean
  } = {},
): NewAction => ({
  type: 'resource/observed',
  resource,
  observed: {
    rolledOut: over.rolledOut ?? true,
    pods: [
      {
        name: `${resource}-1`,
        namespace: 'n',
        uid: over.uid ?? 'u1',
        template: over.template ?? 't1',
        phase: 'running',
        ready: over.ready ?? true,
        createdAt: 1,
        containers: [
          {
            name: 'main',
            containerId: over.containerId ?? 'c1',
            image: over.image ?? resource,
            ref: over.ref ?? 'registry/d1',
            running: true,
            restartable: false,
            restarts: 0,
            startedAt: 1,
          },
        ],
      },
    ],
  },
})
