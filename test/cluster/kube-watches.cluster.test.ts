// How many watches devloop holds on the API server: one for each kind and namespace, however many resources there are.
import { expect, onTestFinished, test } from 'vitest'
import { apiProxy } from '../support/api-proxy.js'
import { waitFor } from '../support/cluster.js'
import { loop, type Names } from '../support/loop.js'

const deployments =
  (count: number) =>
  ({ name, namespace, base }: Names): string =>
    `
import { defineDevloop, manifests } from 'devloop'
const one = (name: string, replicas: number) => manifests(name, {
  apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name },
  spec: { replicas, selector: { matchLabels: { app: name } }, template: { metadata: { labels: { app: name } },
    spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'main', image: '${base}', command: ['sleep', '3600'] }] } } },
})
export default defineDevloop(() => ({
  name: '${name}',
  cluster: { contexts: ['*'], namespace: '${namespace}' },
  resources: Array.from({ length: ${count} }, (_, i) => one('r' + (i + 1), i < 3 ? 1 : 0)),
}))
`

test('100 resources are seen by one watch a kind and namespace, not one each', async () => {
  const proxy = await apiProxy()
  onTestFinished(() => proxy.close())
  const one = await loop({ devloopfile: deployments(3), files: {}, env: { KUBECONFIG: proxy.kubeconfig.file } })
  const watching = await one.begin()
  const paths = (): string[] => [...proxy.watches.keys()].toSorted()
  const few = paths()
  expect(few).toContain(`/api/v1/namespaces/${one.namespace}/pods`)
  expect(few).toContain(`/apis/apps/v1/namespaces/${one.namespace}/deployments`)

  await one.save('Devloopfile.ts', deployments(100)(one))
  await waitFor(() => [...watching.client.views().values()].filter((view) => view.kind === 'resource').length === 100, {
    what: 'the plan of 100 resources',
  })
  await watching.ready(120_000)
  expect(paths()).toEqual(few)
  expect([...proxy.watches].filter(([, { most }]) => most > 1)).toEqual([])
  // one that ends is begun again, but that is no matter of how many resources there are
  expect([...proxy.watches].filter(([, { begun }]) => begun > 5)).toEqual([])
})
