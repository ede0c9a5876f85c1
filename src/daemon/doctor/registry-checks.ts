// Whether images get from here to the nodes, tried with the small image that devloop brings there anyway: that of the agent. The pod that
// is made of it also says whether names are known in the cluster.
import { createAgentProgram } from '../../adapters/disk/agent-program.js'
import { madeImagesOf, noteInstance } from '../../adapters/disk/state-folders.js'
import { createProcessRunner } from '../../adapters/process/process-runner.js'
import { DevloopError } from '../../errors/devloop-error.js'
import { agentImageName } from '../../model/agent-image.js'
import { imagesOf } from '../../model/plan.js'
import type { EngineBuilder } from '../../ports/image-builder.js'
import { inWords, notConnected, ok, skipped, type Check, type Room, type Said } from './finding.js'

/** Every cluster has it. */
const everywhere = 'kubernetes.default.svc'
/** A pod may take so long, also where a node has to be woken up for it. Milliseconds. */
const podMs = 60_000

export const registryCheck: Check = {
  name: 'registry',
  after: ['namespace', 'engine'],
  limitMs: 30_000,
  async run(room, signal) {
    const { kube, plan, options } = room
    if (!kube) return skipped(notConnected)
    const image = Object.values(plan?.images ?? {}).find((one) => one.pulled === undefined)
    const registry = await kube.registry(signal)
    const where =
      registry && (registry.pull === registry.push ? registry.push : `${registry.push}, which the nodes know as ${registry.pull}`)
    if (!image) return skipped(where ? `${where}: the plan builds no image` : 'none is known, and none is needed')
    if (!registry && kube.product === undefined) {
      throw new DevloopError('registry/none', 'No registry is known.', {
        why: 'The Devloopfile names none, and the cluster announces none that you may read.',
      })
    }
    if (registry) {
      const { checkRegistry } = await import('../../adapters/docker/check-registry.js')
      const error = await checkRegistry(registry, image.name, signal)
      // the engine, which pushes, may have a way there that this machine has not
      if (error && (error.code !== 'registry/unreachable' || options.readOnly)) {
        const status = error.code === 'registry/unreachable' ? 'warning' : 'failed'
        return { status, text: `${where} does not take ${image.name}`, error: error.info }
      }
    }
    const known = where ? `${where} takes ${image.name}` : `none is needed: ${kube.product} gets images without`
    if (options.readOnly) return ok(`${known}; nothing was sent there`)
    const began = performance.now()
    const pushed = await bring(room, signal)
    if (typeof pushed !== 'string') return ok(`${known}; nothing was sent there: ${pushed.why}`)
    room.pushed = pushed
    return ok(
      `${known}: ${pushed.slice(pushed.lastIndexOf('/') + 1).split(':')[0]} is there after ${inWords(performance.now() - began)}`,
    )
  },
}

async function bring(room: Room, signal: AbortSignal): Promise<string | { readonly why: string }> {
  const { kube, options, stateDir } = room
  if (!kube || options.file === undefined) return { why: 'there is no Devloopfile' }
  await noteInstance(stateDir, options.file)
  const journal = madeImagesOf(stateDir)
  return kube.provide(
    {
      program: createAgentProgram(),
      builder: await builderOf(room, signal),
      // to whom the nodes do not tell theirs, it is most likely that of the images that are built
      platform: room.engine?.platform,
      // so that `devloop prune` knows of it
      made: (made) => journal.add({ ...made, image: agentImageName, cluster: kube.server, at: Date.now() }),
    },
    signal,
  )
}

async function builderOf({ kube }: Room, signal: AbortSignal): Promise<EngineBuilder> {
  const { createDockerBuilder } = await import('../../adapters/docker/image-builder.js')
  return createDockerBuilder({ processes: createProcessRunner(), ...(kube ? { engine: await kube.engine(signal) } : {}) })
}

export const pullCheck: Check = {
  name: 'pull',
  after: ['registry'],
  limitMs: podMs + 10_000,
  async run(room, signal) {
    const { kube, plan, pushed, namespace, options } = room
    if (!kube) return skipped(notConnected)
    if (options.readOnly) return skipped('no pod is made with --read-only')
    if (pushed === undefined) return skipped('there is no image to pull')
    if (!namespace || namespace.exists === false) return skipped('the namespace does not exist yet')
    const user = Object.values(plan?.resources ?? {}).find((one) => imagesOf(one).some((image) => !plan?.images[image]?.pulled))
    const secrets = await kube.pullSecrets(await builderOf(room, signal), user?.name, signal)
    if ('why' in secrets) return skipped(secrets.why)
    room.probe = await kube.probe({ image: pushed, pullSecrets: secrets, host: everywhere }, podMs, signal)
    return pullSaid(room.probe, namespace.name)
  },
}

function pullSaid(probe: NonNullable<Room['probe']>, namespace: string): Said {
  switch (probe.kind) {
    case 'ran':
      return ok(`a pod in ${namespace} had it and ran on ${probe.node} within ${inWords(probe.ms)}`)
    case 'refused':
      return { status: 'warning', text: 'the cluster does not take the pod to try it with', error: probe.error }
    case 'failed':
      return { status: 'failed', text: probe.error.message, error: probe.error }
    case 'late': {
      const text = `a pod in ${namespace} waited ${inWords(podMs)} for ${probe.waited}`
      return { status: 'failed', text, error: new DevloopError('doctor/timeout', 'A pod is not started.', { why: text }).info }
    }
  }
}

export const dnsCheck: Check = {
  name: 'DNS',
  after: ['pull'],
  async run({ kube, probe, namespace }, signal) {
    if (!kube) return skipped(notConnected)
    if (!namespace || namespace.exists === false) return skipped('the namespace does not exist yet')
    if (probe?.kind === 'ran') return dnsSaid('the same pod', probe.unknown)
    const asked = await kube.lookup(everywhere, signal)
    return asked ? dnsSaid(`the pod ${asked.pod}`, asked.unknown) : skipped('no pod runs that could be asked')
  },
}

/** @param unknown why the name was not found; undefined = it was. @throws DevloopError cluster/dns */
export function dnsSaid(who: string, unknown: string | undefined): Said {
  if (unknown === undefined) return ok(`${who} found ${everywhere}`)
  throw new DevloopError('cluster/dns', `${everywhere} has no address for ${who}.`, { why: unknown })
}
