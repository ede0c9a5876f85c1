// How an app is asked whether it is ready.
import type { ProbeSpec } from '../../model/plan.js'
import { isMark, type Encoded } from '../declaration.js'
import { didYouMean, listed } from '../../errors/did-you-mean.js'
import { broken, command, integer, options, port, record, string, wrong, type Subject } from './fields.js'

const known = {
  exec: true,
  tcp: true,
  http: true,
  port: true,
  period: true,
  startPeriod: true,
  timeout: true,
  failures: true,
} as const

/** @param ports names of the app's ports */
export function makeProbe(subject: Subject, value: Encoded, ports: readonly string[]): ProbeSpec | false | undefined {
  if (value === undefined || value === false) return value
  const expected = 'false, or an object with `exec`, `tcp` or `http`'
  if (isMark(value) || !record(value)) return wrong(subject, 'probe', expected, value)
  const given = options(subject, 'probe', value, known)
  const check = makeCheck(subject, given, ports)
  const number = (key: 'period' | 'startPeriod' | 'timeout' | 'failures', low: number): number | undefined =>
    integer(subject, `probe.${key}`, given[key], low, 86_400)
  const period = number('period', 1) ?? 10
  const rest = {
    startPeriod: number('startPeriod', 1) ?? 1,
    timeout: number('timeout', 1) ?? 5,
    failures: number('failures', 1) ?? 3,
  }
  return check && { check, period, ...rest }
}

function makeCheck(
  subject: Subject,
  given: Partial<Record<keyof typeof known, Encoded>>,
  ports: readonly string[],
): ProbeSpec['check'] | undefined {
  const kinds = (['exec', 'tcp', 'http'] as const).filter((kind) => given[kind] !== undefined)
  if (kinds.length !== 1) {
    const message = kinds.length === 0 ? '`probe` says not what to ask.' : `\`probe\` says both \`${kinds.join('` and `')}\`.`
    return broken(subject, message, undefined, 'Give one of `exec`, `tcp` and `http`.')
  }
  if (given.exec !== undefined) {
    const exec = command(subject, 'probe.exec', given.exec)
    return exec === undefined ? undefined : { kind: 'exec', command: typeof exec === 'string' ? ['/bin/sh', '-c', exec] : exec }
  }
  if (given.tcp !== undefined) {
    const to = makePort(subject, 'probe.tcp', given.tcp, ports)
    return to === undefined ? undefined : { kind: 'tcp', port: to }
  }
  const path = string(subject, 'probe.http', given.http)
  const to = makePort(subject, 'probe.port', given.port ?? ports[0], ports)
  if (path === undefined || to === undefined) return undefined
  return path.startsWith('/') ? { kind: 'http', port: to, path } : wrong(subject, 'probe.http', "a path such as '/healthz'", path)
}

function makePort(subject: Subject, path: string, value: Encoded, ports: readonly string[]): string | number | undefined {
  if (typeof value === 'number') return port(subject, path, value)
  if (typeof value !== 'string') return wrong(subject, path, 'the name of a port, or its number', value)
  if (ports.includes(value)) return value
  const why = ports.length > 0 ? `Ports: ${listed(ports)}.` : 'It has no ports.'
  return broken(subject, `\`${path}\` names the port '${value}', which it does not have.`, why, didYouMean(value, ports))
}
