// Checks of the Docker engine: it answers, and it builds.
import { DevloopError } from '../../errors/devloop-error.js'
import { inWords, ok, skipped, type Check, type Room } from './finding.js'

const notNeeded = 'the plan builds no image'

const buildsNothing = ({ plan }: Room): boolean =>
  plan !== undefined && Object.values(plan.images).every((image) => image.pulled !== undefined)

export const engineCheck: Check = {
  name: 'engine',
  after: ['Devloopfile', 'cluster'],
  async run(room, signal) {
    const { plan, kube } = room
    if (buildsNothing(room)) return skipped(notNeeded)
    const settings = plan?.cluster.engine
    if (settings && 'inCluster' in settings && !kube) return skipped('it is in a cluster that cannot be asked')
    const { examineEngine } = await import('../../adapters/docker/examine-engine.js')
    room.engine = await examineEngine(process.env, kube ? await kube.engine(signal) : settings ? { settings } : {}, signal)
    const { system, name, version, apiVersion, address } = room.engine
    const who = [version && `version ${version}`, `API ${apiVersion}`, system && `of ${system}`, name && `on ${name}`]
    return ok(`${address} is ${who.filter(Boolean).join(' ')}`)
  },
}

export const builderCheck: Check = {
  name: 'build',
  after: ['engine'],
  limitMs: 20_000,
  async run(room, signal) {
    const { engine, options } = room
    if (buildsNothing(room)) return skipped(notNeeded)
    if (!engine) return skipped('there is no engine to ask')
    const which = engine.buildkit ? 'BuildKit' : 'the classic builder'
    if (options.readOnly) return skipped(`${which}: nothing is built with --read-only`)
    const began = performance.now()
    await engine.tryBuild(signal)
    const text = `${which} built a small image in ${inWords(performance.now() - began)}`
    if (engine.buildkit) return ok(text)
    const wish = process.env['DOCKER_BUILDKIT']
    const error = new DevloopError('build/buildkit', 'The engine builds without BuildKit.', {
      why: 'Each build sends the whole context, and secrets and ssh agents cannot be mounted.',
      help: `Use an engine with BuildKit${wish === undefined ? '' : `, and unset DOCKER_BUILDKIT, which is ${wish}`}.`,
    })
    return { status: 'warning', text, error: error.info }
  },
}
