// What devloop puts into the objects of a release, and that Helm reads the same from what is handed back.
import { expect, test } from 'vitest'
import { finishRelease, releaseObjects } from '../../../../../src/adapters/kube/release/finish-release.js'
import type { ReleaseSpec } from '../../../../../src/model/plan.js'
import { podBearing } from '../../../../../src/model/pod-bearing.js'
import { aRecord } from '../deploy/fixtures.js'

const spec: ReleaseSpec = {
  kind: 'release',
  name: 'shop',
  releaseName: 'shop',
  chart: { path: '/charts/shop' },
  values: [],
  set: {},
  apiVersions: [],
  crds: true,
  dependencies: true,
  release: { timeoutMs: 1000 },
  objects: [],
  images: [],
  forward: [],
  needs: [],
  rebuildAfter: [],
  labels: [],
  auto: true,
  trigger: 'auto',
  enabled: true,
  at: { file: '/Devloopfile.ts', line: 1 },
}
const owner = { project: 'shop', instance: 'i1', resource: 'shop', byHelm: true } as const
const finish = (manifest: string) =>
  finishRelease(manifest, { spec, owner, namespace: 'dev', images: {}, restartable: new Set() })

const settings = `apiVersion: v1
kind: ConfigMap
metadata: { name: settings, annotations: { postrenderer.helm.sh/postrender-filename: 'shop/templates/a.yaml' } }
data: { "on": "on", mode: "0644", day: "2001-01-01", time: "12:30", long: "a\\nb\\n", "no": "n" }
`

test('texts stay texts: what YAML 1.1 takes for something else is quoted', () => {
  const { manifest } = finish(settings)
  const [object] = releaseObjects(manifest, 'it')
  expect(object?.data).toEqual({ on: 'on', mode: '0644', day: '2001-01-01', time: '12:30', long: 'a\nb\n', no: 'n' })
  expect(manifest).toMatch(/"on": "on"/)
  expect(manifest).toMatch(/mode: "0644"/)
  expect(manifest).toMatch(/time: "12:30"/)
  // Helm sorts by this which file an object is of
  expect(object?.metadata.annotations).toMatchObject({ 'postrenderer.helm.sh/postrender-filename': 'shop/templates/a.yaml' })
})

test('hooks are finished, too, and count neither as objects nor as pods to wait for', () => {
  const pod = (name: string, more = '') => `---
apiVersion: v1
kind: Pod
metadata: { name: ${name}${more} }
spec: { containers: [{ name: one, image: other }] }
`
  const { objects, templates, manifest } = finish(pod('web') + pod('migrate', `, annotations: { helm.sh/hook: pre-install }`))
  expect(objects.map(({ metadata }) => metadata.name)).toEqual(['web'])
  expect(templates).toHaveLength(1)
  expect(manifest.match(/devloop.dev\/template: /g)).toHaveLength(2)
  // who manages them is for Helm to say
  expect(manifest).not.toContain('managed-by')
})

test('what holds data, or is to be kept, gets the policy that keeps Helm from deleting it', () => {
  const { objects } = finish(`apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: data }
---
apiVersion: v1
kind: Secret
metadata: { name: mine, annotations: { devloop.dev/keep: "true" } }
---
apiVersion: v1
kind: Secret
metadata: { name: other }
`)
  expect(objects.map(({ metadata }) => metadata.annotations?.['helm.sh/resource-policy'])).toEqual(['keep', 'keep', undefined])
})

const running = (kind: string, extra = ''): string => `---
apiVersion: ${kind === 'Job' ? 'batch/v1' : 'apps/v1'}
kind: ${kind}
metadata: { name: web${extra} }
spec: { template: { spec: { containers: [{ name: main, image: shop/api }] } } }
`

test('workloads get the agent, hooks do not', () => {
  const agent = { ref: 'registry.test:5000/devloop-agent:v1', version: 'v1' }
  const input = { spec: { ...spec, images: ['shop/api'] }, owner, namespace: 'dev', images: { 'shop/api': aRecord() } }
  const manifest = running('Deployment') + running('Job', ', annotations: { helm.sh/hook: pre-install }')
  const finished = finishRelease(manifest, { ...input, restartable: new Set(['shop/api']), agentOf: () => agent })
  const [deployment, job] = releaseObjects(finished.manifest, 'it').map((object) => podBearing(object)?.template.spec)
  expect(deployment?.initContainers).toMatchObject([{ name: 'devloop-agent', image: agent.ref }])
  expect(deployment?.containers).toMatchObject([{ command: ['/.devloop/agent', 'run', '--', 'node', 'server.js'] }])
  expect(job).toEqual({ containers: [expect.objectContaining({ image: aRecord().ref })] })
  expect(finished.lacking).toBeUndefined()
  const without = finishRelease(manifest, { ...input, restartable: new Set(), agentOf: () => ({ why: 'nobody made it' }) })
  expect([without.manifest.includes('devloop-agent'), without.lacking]).toEqual([false, 'nobody made it'])
})
