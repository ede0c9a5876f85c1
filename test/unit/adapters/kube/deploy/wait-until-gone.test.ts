import { expect, test } from 'vitest'
import { waitUntilGone, type LiveObject } from '../../../../../src/adapters/kube/deploy/cluster-objects.js'
import type { KubeConnection } from '../../../../../src/adapters/kube/connection.js'

test('[tilt-21] a deletion that takes too long names the object and what holds it up', async () => {
  const live = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'slow', uid: '1', resourceVersion: '1', finalizers: ['test/hold'] },
  } as unknown as LiveObject
  const connection = { request: () => Promise.resolve(live) } as unknown as KubeConnection
  await expect(waitUntilGone(connection, '/api/v1/namespaces/n/configmaps/slow', live, 30)).rejects.toMatchObject({
    info: {
      code: 'cluster/error',
      message: 'configmap/slow is still being deleted after 0.03 seconds.',
      why: 'It waits for: test/hold.',
    },
  })
})
