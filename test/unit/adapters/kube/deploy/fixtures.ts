// Specs and records with every field filled in, to be changed by the tests.
import type { RenderAppInput } from '../../../../../src/adapters/kube/deploy/render-app.js'
import type { BuildRecord } from '../../../../../src/model/build-record.js'
import type { AppSpec, KubeObject, ManifestsSpec } from '../../../../../src/model/plan.js'
import { plainGraph } from '../../../../support/plain-graph.js'

export const position = { file: '/project/Devloopfile.ts', line: 7 }

export const anApp = (changes: Partial<AppSpec> = {}): AppSpec => ({
  kind: 'app',
  name: 'api',
  ...plainGraph,
  forward: [],
  at: position,
  image: { ref: 'postgres:16' },
  ports: {},
  env: {},
  replicas: 1,
  ...changes,
})

export const anInput = (changes: Partial<RenderAppInput> = {}): RenderAppInput => ({
  app: anApp(),
  owner,
  namespace: 'dev',
  apps: {},
  images: {},
  restartable: new Set(),
  generated: {},
  files: new Map(),
  storage: { hasDefaultClass: true },
  ...changes,
})

export const someManifests = (objects: readonly KubeObject[], changes: Partial<ManifestsSpec> = {}): ManifestsSpec => ({
  kind: 'manifests',
  name: 'legacy',
  ...plainGraph,
  forward: [],
  at: position,
  objects: objects.map((object, index) => ({ object, at: { file: '/project/deploy/all.yaml', line: 1 + 10 * index } })),
  images: [],
  ...changes,
})

export const aRecord = (changes: Partial<BuildRecord> = {}, config: Partial<BuildRecord['config']> = {}): BuildRecord => ({
  image: 'shop/api',
  runtime: 'kubernetes',
  digest: 'sha256:11',
  ref: 'registry.test:5000/shop/api:devloop-11',
  inputs: '11',
  tree: new Map(),
  config: { entrypoint: ['node'], cmd: ['server.js'], workingDir: '/app', user: '', shell: true, ...config },
  builtAt: 0,
  ...changes,
})

export const owner = { project: 'shop', instance: 'ann-1', resource: 'api' }
