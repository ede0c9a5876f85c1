// What every transport into a pod does when nothing comes over its connection any more.
import { expect, it } from 'vitest'
import type { KubeConnection } from '../../src/adapters/kube/connection.js'
import type { SyncSession } from '../../src/ports/sync-transport.js'
import { proxiedCluster, testConnection } from '../support/cluster.js'
import { fileOp } from './sync-samples.js'

/** @param open opens a session on `/tmp` through a connection */
export function silenceSuite(open: (through: KubeConnection) => Promise<SyncSession>): void {
  it('notices a connection that has gone silent', async () => {
    const proxied = await proxiedCluster()
    const through = await testConnection(proxied.kubeconfig.file)
    const session = await open(through)
    proxied.proxy.freeze()
    const writing = session.apply([fileOp('/tmp/silent', 'x')], new AbortController().signal)
    await expect(writing).rejects.toMatchObject({ code: 'sync/disconnected' })
    expect((await session.closed).reason).toBe('lost')
    through.close()
    await proxied.close()
  }, 40_000)
}
