// The same save with the API server 20 ms away: all that devloop does goes through a proxy, the floor's stream too.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openDelayProxy } from '../delay-proxy.mjs'
import { addSaves, measureSaves } from '../saves.mjs'

const ms = 20

export async function section({ options, home, project, open, cluster, cleanup, add }) {
  const kube = await cluster()
  const proxy = await openDelayProxy({ target: kube.server, ms, cleanup })
  const kubeconfig = join(home, 'far-kubeconfig')
  await writeFile(kubeconfig, kube.kubeconfigBy(proxy.server), { mode: 0o600 })
  const made = await project('far')
  const session = await open(made, { extraEnv: { KUBECONFIG: kubeconfig } })
  const times = await measureSaves({ session, cluster: kube, n: options.quick ? 10 : 60, via: proxy.server })
  await session.close()
  await made.removeNamespace()
  await proxy.close()
  addSaves(add, { id: 'far', where: `, the API server ${ms} ms away (each way)`, times, limits: { median: 80 } })
}
