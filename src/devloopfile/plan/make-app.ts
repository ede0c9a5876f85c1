// Apps: a declared one becomes the specification in the plan.
import type { AppSpec, ForwardSpec } from '../../model/plan.js'
import type { AppOptions, ProcessOptions } from '../api/types.js'
import { isMark, type DeclaredResource, type Encoded } from '../declaration.js'
import { didYouMean, listed } from '../../errors/did-you-mean.js'
import { makeEnvFrom } from './config-ref.js'
import { makeDebug } from './make-debug.js'
import { broken, command, dnsLabel, integer, options, port, readiness, record, string, wrong, type Subject } from './fields.js'
import { makeExpose } from './make-expose.js'
import { makeForwardSpec } from './make-forward.js'
import { graphKnown, makeGraph } from './make-graph.js'
import type { Needs } from './make-needs.js'
import { makeAliases, makeJob, makePod, makeUser } from './make-pod.js'
import { makeProbe } from './make-probe.js'
import { makeServiceAccount } from './make-service-account.js'
import { makeEnv } from './make-text.js'
import { baseOf, flag, makeVolumes } from './make-volumes.js'
import { called } from './names.js'
import type { PlanWork } from './work.js'

const known: Record<keyof AppOptions, true> = {
  image: true,
  port: true,
  ports: true,
  forward: true,
  env: true,
  envFrom: true,
  command: true,
  args: true,
  replicas: true,
  readiness: true,
  job: true,
  headless: true,
  aliases: true,
  portVariables: true,
  volumes: true,
  probe: true,
  workdir: true,
  user: true,
  pod: true,
  expose: true,
  serviceAccount: true,
  debug: true,
  process: true,
  ...graphKnown,
}
const processKnown: Record<keyof ProcessOptions, true> = { prepare: true, command: true }

export async function makeApp(work: PlanWork, resource: DeclaredResource, needs: Needs): Promise<AppSpec> {
  const subject: Subject = { name: called(resource.service ?? 'app', resource.name), at: resource.at, problems: work.problems }
  const given = options(subject, '', resource.options, known)
  const name = dnsLabel(subject, 'name', resource.name) ?? ''
  if (/^\d/.test(name))
    broken(subject, 'the name must begin with a letter, since a Service has it too.', undefined, `For instance 'app-${name}'.`)
  const ports = makePorts(subject, given.port, given.ports)
  const image = makeImageOf(work, subject, given.image, record(resource.options) !== undefined)
  const entrypoint = command(subject, 'command', given.command)
  const args =
    given.args === undefined
      ? undefined
      : isTextList(given.args)
        ? given.args
        : wrong(subject, 'args', 'an array of strings', given.args)
  const process = makeProcess(subject, given.process)
  const volumes = await makeVolumes(work, subject, given.volumes, baseOf(subject))
  const probe = makeProbe(subject, given.probe, Object.keys(ports))
  const aliases = makeAliases(subject, given.aliases)
  const workdir = makeWorkdir(subject, given.workdir)
  const user = makeUser(subject, given.user)
  const pod = makePod(subject, given.pod)
  const expose = makeExpose(subject, given.expose, Object.keys(ports))
  const serviceAccount = makeServiceAccount(subject, given.serviceAccount)
  const job = makeJob(subject, given.job)
  const debug = makeDebug(subject, given.debug, ports)
  const envFrom = makeEnvFrom(work, subject, given.envFrom)
  return {
    kind: 'app',
    name,
    ...(resource.service ? { service: resource.service } : {}),
    image,
    ports,
    forward: makeForward(subject, given.forward, Object.keys(ports)),
    ...makeGraph(subject, given, needs),
    env: makeEnv(work, subject, given.env),
    ...(envFrom ? { envFrom } : {}),
    ...(entrypoint === undefined ? {} : { command: typeof entrypoint === 'string' ? ['/bin/sh', '-c', entrypoint] : entrypoint }),
    ...(args === undefined ? {} : { args }),
    replicas: integer(subject, 'replicas', given.replicas, 0, Infinity) ?? 1,
    ...readiness(subject, 'readiness', given.readiness),
    ...(job ? { job } : {}),
    ...(flag(subject, 'headless', given.headless) ? { headless: true } : {}),
    ...(aliases ? { aliases } : {}),
    ...(given.portVariables === undefined || flag(subject, 'portVariables', given.portVariables) ? {} : { portVariables: false }),
    ...(volumes ? { volumes } : {}),
    ...(probe === undefined ? {} : { probe }),
    ...(workdir === undefined ? {} : { workdir }),
    ...(user ? { user } : {}),
    ...(pod ? { pod } : {}),
    ...(expose ? { expose } : {}),
    ...(serviceAccount ? { serviceAccount } : {}),
    ...(debug ? { debug } : {}),
    ...(process ? { process } : {}),
    ...(resource.warnings?.length ? { warnings: resource.warnings } : {}),
    at: resource.at,
  }
}

/** Arguments may be empty strings. */
const isTextList = (value: Encoded): value is readonly string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string')

function makeWorkdir(subject: Subject, value: Encoded): string | undefined {
  const path = string(subject, 'workdir', value)
  return path === undefined || path.startsWith('/') ? path : wrong(subject, 'workdir', 'an absolute path in the container', path)
}

function makeImageOf(work: PlanWork, subject: Subject, value: Encoded, report: boolean): AppSpec['image'] {
  if (isMark(value) && value.$devloop === 'image') {
    const name = work.declaration.images[value.index]?.name
    return { built: typeof name === 'string' ? name : '' }
  }
  const expected = "an image, or a reference such as 'postgres:16'"
  if (typeof value !== 'string') {
    if (report) wrong(subject, 'image', expected, value)
    return { ref: '' }
  }
  if (!/^[\w.:/@-]+$/.test(value)) wrong(subject, 'image', expected, value)
  return { ref: value }
}

/** A port's name is also its name in the Service and the container: at most 15 letters, digits and `-`, one letter at least. */
const portName = /^(?=.{1,15}$)(?=.*[a-z])[a-z0-9]+(?:-[a-z0-9]+)*$/

function makePorts(subject: Subject, single: Encoded, several: Encoded): Record<string, number> {
  if (single !== undefined && several !== undefined) {
    broken(subject, 'give either `port` or `ports`, not both.', undefined, 'Put all of them into `ports`, by name.')
  }
  if (several === undefined) {
    const number = port(subject, 'port', single)
    return number === undefined ? {} : { main: number }
  }
  const given = record(several)
  if (!given) {
    wrong(
      subject,
      'ports',
      'an object with port numbers by name',
      several,
      typeof several === 'number' ? `For one port write port: ${several}.` : undefined,
    )
    return {}
  }
  const names = new Map<number, string>()
  const ports = Object.entries(given).flatMap(([name, item]) => {
    if (!portName.test(name)) {
      broken(
        subject,
        `'${name}' cannot be the name of a port.`,
        undefined,
        'Use at most 15 lower-case letters, digits and `-`, with a letter among them.',
      )
    }
    const number = port(subject, `ports.${name}`, item ?? null)
    if (number === undefined) return []
    const other = names.get(number)
    if (other !== undefined)
      broken(subject, `the ports '${other}' and '${name}' have the same number.`, `Received ${number}.`, 'Remove one of them.')
    names.set(number, name)
    return [[name, number] as const]
  })
  return Object.fromEntries(ports)
}

function makeForward(subject: Subject, value: Encoded, ports: readonly string[]): readonly ForwardSpec[] {
  if (value === undefined) return []
  const [first] = ports
  if (first === undefined) {
    broken(subject, '`forward` leads to no port, for it has none.', undefined, 'Give it a `port`, or remove `forward`.')
    return []
  }
  if (typeof value === 'number') {
    const local = port(subject, 'forward', value)
    return local === undefined ? [] : [{ local, port: first }]
  }
  const given = record(value)
  if (!given) {
    wrong(subject, 'forward', 'a port number, or { portName: local }', value)
    return []
  }
  return Object.entries(given).flatMap(([name, item]) => {
    if (item === undefined) return []
    if (!ports.includes(name)) {
      const help = didYouMean(name, ports) ?? 'Use one of its port names.'
      broken(subject, `\`forward\` names the port '${name}', which it does not have.`, `Ports: ${listed(ports)}.`, help)
    }
    return makeForwardSpec(subject, `forward.${name}`, item, name)
  })
}

function makeProcess(subject: Subject, value: Encoded): AppSpec['process'] {
  if (value === undefined) return undefined
  const given = options(subject, 'process', value, processKnown)
  if (!record(value)) return undefined
  const prepare = command(subject, 'process.prepare', given.prepare)
  const main =
    given.command === undefined
      ? wrong(subject, 'process.command', 'a command: a string, or an array of strings', undefined)
      : command(subject, 'process.command', given.command)
  return main === undefined ? undefined : { ...(prepare === undefined ? {} : { prepare }), command: main }
}
