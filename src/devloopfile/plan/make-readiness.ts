// When a local's `serve` is ready.
import type { ReadinessCheck, ReadinessProbe } from '../../model/plan.js'
import type { Encoded } from '../declaration.js'
import { broken, command, integer, options, port, seconds, string, wrong, type Subject } from './fields.js'

const checks = ['http', 'tcp', 'exec', 'log'] as const
const known = {
  http: true,
  tcp: true,
  exec: true,
  log: true,
  delay: true,
  period: true,
  timeout: true,
  successes: true,
  failures: true,
  within: true,
} as const

/**
 * @param listens the local's `port`, which decides where nothing is given, and which a path of `http` is asked on
 * @returns undefined = ready once started; also where something is wrong, which is reported
 */
export function makeReadiness(subject: Subject, value: Encoded, listens: number | undefined): ReadinessProbe | undefined {
  if (value === undefined) return listens === undefined ? undefined : probe({ kind: 'tcp', port: listens })
  const given = options(subject, 'ready', value, known)
  const named = checks.filter((key) => given[key] !== undefined)
  const [kind] = named
  if (kind === undefined || named.length > 1) {
    if (typeof value === 'object' && value !== null)
      broken(
        subject,
        `\`ready\` needs one of ${checks.map((key) => `\`${key}\``).join(', ')}${named.length > 1 ? `, not ${named.length} of them` : ''}.`,
        undefined,
        "For instance: ready: { http: '/healthz' }",
      )
    return undefined
  }
  const check = makeCheck(subject, kind, given[kind], listens)
  return check && probe(check, subject, given)
}

function probe(
  check: ReadinessCheck,
  subject?: Subject,
  given: Partial<Record<keyof typeof known, Encoded>> = {},
): ReadinessProbe {
  const time = (key: 'delay' | 'period' | 'timeout' | 'within', bound: 'above 0' | 'from 0'): number | undefined =>
    subject && seconds(subject, `ready.${key}`, given[key], bound)
  const count = (key: 'successes' | 'failures'): number | undefined =>
    subject && integer(subject, `ready.${key}`, given[key], 1, 1000)
  return {
    check,
    delayMs: time('delay', 'from 0') ?? 0,
    periodMs: time('period', 'above 0') ?? 10_000,
    timeoutMs: time('timeout', 'above 0') ?? 5_000,
    successes: count('successes') ?? 1,
    failures: count('failures') ?? 3,
    withinMs: time('within', 'above 0') ?? 60_000,
  }
}

function makeCheck(
  subject: Subject,
  kind: (typeof checks)[number],
  value: Encoded,
  listens: number | undefined,
): ReadinessCheck | undefined {
  switch (kind) {
    case 'tcp': {
      const number = port(subject, 'ready.tcp', value)
      return number === undefined ? undefined : { kind, port: number }
    }
    case 'http':
      return makeHttp(subject, value, listens)
    case 'exec': {
      const what = command(subject, 'ready.exec', value)
      return what === undefined ? undefined : { kind, command: what }
    }
    case 'log': {
      const pattern = string(subject, 'ready.log', value)
      if (pattern === undefined) return undefined
      try {
        new RegExp(pattern, 'u')
        return { kind, pattern }
      } catch (thrown) {
        return broken(subject, '`ready.log` is not a regular expression.', `Received '${pattern}'. ${(thrown as Error).message}`)
      }
    }
  }
}

function makeHttp(subject: Subject, value: Encoded, listens: number | undefined): ReadinessCheck | undefined {
  const text = string(subject, 'ready.http', value)
  if (text === undefined) return undefined
  if (text.startsWith('/')) {
    if (listens !== undefined) return { kind: 'http', url: new URL(text, `http://127.0.0.1:${listens}`).href }
    return broken(
      subject,
      '`ready.http` is a path, and there is no `port` that it could be asked on.',
      undefined,
      'Give `port`, or a whole address.',
    )
  }
  if (!/^https?:\/\//.test(text) || !URL.canParse(text))
    return wrong(subject, 'ready.http', "a path such as '/healthz', or an address with http:// or https://", text)
  return { kind: 'http', url: text }
}
