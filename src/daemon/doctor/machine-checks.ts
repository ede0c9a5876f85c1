// Checks of this machine: Node.js is new enough, the Devloopfile loads, and the tools are there that the plan needs.
import { userInfo } from 'node:os'
import { realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { machineId } from '../../adapters/disk/machine-id.js'
import { stateDir } from '../../adapters/disk/xdg.js'
import { findTool, missingTool } from '../../adapters/manifests/tool.js'
import { DevloopError } from '../../errors/devloop-error.js'
import { instanceId } from '../../model/instance.js'
import { loadPlan } from '../down.js'
import { ok, skipped, type Check, type Said } from './finding.js'

/** As `engines` of package.json has it. */
export const oldestNode = '20.20'

export const nodeCheck: Check = { name: 'Node.js', run: async () => judgeNode(process.version) }

/** @param version such as `v20.20.1`. @throws DevloopError machine/node */
export function judgeNode(version: string): Said {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number)
  const [leastMajor = 0, leastMinor = 0] = oldestNode.split('.').map(Number)
  const text = `${version} on ${process.platform}/${process.arch}`
  if (major > leastMajor || (major === leastMajor && minor >= leastMinor)) return ok(text)
  throw new DevloopError('machine/node', `Node.js ${version} is older than devloop needs.`, {
    why: `It needs ${oldestNode} or newer.`,
  })
}

export const devloopfileCheck: Check = {
  name: 'Devloopfile',
  limitMs: 30_000,
  async run(room, signal) {
    const { file, args } = room.options
    if (file === undefined) return skipped('there is none here or above: `devloop init` writes one')
    const user = userInfo().username
    const real = await realpath(file)
    room.stateDir = join(stateDir(process.env), instanceId({ devloopfile: real, user, machine: machineId() }))
    room.plan = await loadPlan(real, user, signal, args)
    const count = Object.keys(room.plan.resources).length
    return ok(`${room.plan.name}, with ${count} ${count === 1 ? 'resource' : 'resources'}`)
  },
}

export const toolsCheck: Check = {
  name: 'tools',
  after: ['Devloopfile'],
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
