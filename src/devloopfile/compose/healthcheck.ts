// `healthcheck` of a service as the probe of an app.
import type { MapNode } from './node.js'
import { bool, checkKeys, duration, mapping, text, texts, whole, wrongNode, type Reader } from './read.js'

const known = ['test', 'interval', 'timeout', 'retries', 'start_period', 'start_interval', 'disable']

/** Undefined = the service says nothing. */
export function readHealthcheck(reader: Reader, service: MapNode): false | Readonly<Record<string, unknown>> | undefined {
  const node = mapping(reader, 'healthcheck', service.entries.get('healthcheck'))
  if (!node) return undefined
  checkKeys(reader, 'healthcheck', node, known)
  const test = node.entries.get('test')
  const words = test?.kind === 'list' ? texts(reader, 'healthcheck.test', test) : undefined
  if (bool(reader, 'healthcheck.disable', node.entries.get('disable')) || words?.[0] === 'NONE') return false
  if (!test) return undefined
  const [kind, ...rest] = words ?? ['CMD-SHELL', text(reader, 'healthcheck.test', test) ?? '']
  if ((kind !== 'CMD' && kind !== 'CMD-SHELL') || rest.length === 0 || rest[0] === '') {
    const help = "For instance test: ['CMD', 'pg_isready'] or test: curl -f http://localhost"
    return wrongNode(reader, 'healthcheck.test', 'a command, or a list that begins with CMD or CMD-SHELL', test, help)
  }
  const seconds = (key: string, low: number): number | undefined => {
    const found = duration(reader, `healthcheck.${key}`, node.entries.get(key))
    return found === undefined || found === 0 ? undefined : Math.max(low, Math.ceil(found))
  }
  const period = seconds('interval', 1) ?? 30
  const retries = whole(reader, 'healthcheck.retries', node.entries.get('retries'))
  return {
    exec: kind === 'CMD' ? rest : rest.join(' '),
    period,
    // who waits for it would wait for a whole interval otherwise
    startPeriod: seconds('start_interval', 1) ?? Math.min(period, 2),
    timeout: seconds('timeout', 1) ?? 30,
    failures: Math.max(1, retries ?? 3),
  }
}
