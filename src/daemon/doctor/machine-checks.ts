// Checks of this machine: the Devloopfile loads, the engine answers, and the tools are there that the plan needs.
import { userInfo } from 'node:os'
import { realpath } from 'node:fs/promises'
import { findTool, missingTool } from '../../adapters/manifests/tool.js'
import { createProcessRunner } from '../../adapters/process/process-runner.js'
import { loadPlan } from '../down.js'
import { ok, skipped, type Check } from './finding.js'

export const devloopfileCheck: Check = {
  name: 'Devloopfile',
  async run(room, signal) {
    const { file, args } = room.options
    if (file === undefined) return skipped('there is none here or above: `devloop init` writes one')
    room.plan = await loadPlan(await realpath(file), userInfo().username, signal, args)
    const count = Object.keys(room.plan.resources).length
    return ok(`${room.plan.name}, with ${count} ${count === 1 ? 'resource' : 'resources'}`)
  },
}

export const engineCheck: Check = {
  name: 'engine',
  async run({ plan, kube }, signal) {
    if (plan && Object.values(plan.images).every((image) => image.pulled !== undefined))
      return skipped('the plan builds no image')
    const settings = plan?.cluster.engine
    const isInside = settings && 'inCluster' in settings
    if (isInside && !kube) return skipped('it is in a cluster that cannot be asked')
    const [{ createDockerBuilder }, { dialEngineInPod }] = await Promise.all([
      import('../../adapters/docker/image-builder.js'),
      import('../../adapters/kube/engine-in-pod.js'),
    ])
    const builder = createDockerBuilder({
      processes: createProcessRunner(),
      engine: {
        ...(settings ? { settings } : {}),
        ...(isInside && kube ? { dial: dialEngineInPod(kube.connection, settings.inCluster) } : {}),
      },
    })
    const { name, system } = await builder.identity(signal)
    return ok([system, name && `on ${name}`].filter(Boolean).join(' ') || 'it answers')
  },
}

export const toolsCheck: Check = {
  name: 'tools',
  async run({ plan }) {
    const wanted = { helm: ['helm'], kustomize: ['kustomize', 'kubectl'] } as const
    const found: string[] = []
    for (const [kind, names] of Object.entries(wanted)) {
      const user = Object.values(plan?.resources ?? {}).find((resource) => resource.kind === kind)
      if (!user) continue
      const tool = await findTool(names)
      if (tool === undefined) throw missingTool(kind, user.name)
      found.push(tool)
    }
    return found.length === 0 ? skipped('the plan needs none') : ok(`${found.join(' and ')} found in PATH`)
  },
}
