// How an app is reached from outside of the cluster.
import type { ExposeSpec } from '../../model/plan.js'
import type { ExposeOptions } from '../api/types.js'
import { isMark, type Encoded } from '../declaration.js'
import { didYouMean, listed } from '../../errors/did-you-mean.js'
import { annotations, broken, options, record, string, wrong, type Subject } from './fields.js'

const known: Record<keyof ExposeOptions, true> = {
  host: true,
  path: true,
  port: true,
  tls: true,
  ingressClass: true,
  annotations: true,
}

/** DNS labels with dots between them, one at least. */
const hostName = /^(?=.{1,253}$)[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?)*$/

/** @param ports names of the app's ports */
export function makeExpose(subject: Subject, value: Encoded, ports: readonly string[]): ExposeSpec | undefined {
  if (value === undefined || value === false) return undefined
  if (value !== true && (isMark(value) || !record(value)))
    return wrong(subject, 'expose', 'true, or { host, path, port, tls }', value)
  const [first] = ports
  if (first === undefined) {
    return broken(subject, '`expose` leads to no port, for it has none.', undefined, 'Give it a `port`, or remove `expose`.')
  }
  if (value === true) return { port: first, path: '/' }
  const given = options(subject, 'expose', value, known)
  const host = string(subject, 'expose.host', given.host)
  if (host !== undefined && !hostName.test(host))
    wrong(subject, 'expose.host', "a host name such as 'shop.example.com'", host, 'Leave out the scheme and the path.')
  const path = string(subject, 'expose.path', given.path) ?? '/'
  if (!path.startsWith('/') || /[?#\s]/.test(path)) wrong(subject, 'expose.path', "a path such as '/shop'", path)
  const port = string(subject, 'expose.port', given.port) ?? first
  if (!ports.includes(port)) {
    const help = didYouMean(port, ports) ?? 'Use one of its port names.'
    broken(subject, `\`expose\` names the port '${port}', which it does not have.`, `Ports: ${listed(ports)}.`, help)
  }
  const tls = makeTls(subject, given.tls)
  const ingressClass = string(subject, 'expose.ingressClass', given.ingressClass)
  const notes = annotations(subject, 'expose.annotations', given.annotations)
  return {
    port,
    ...(host === undefined ? {} : { host }),
    path,
    ...(tls === undefined ? {} : { tls }),
    ...(ingressClass === undefined ? {} : { ingressClass }),
    ...(notes ? { annotations: notes } : {}),
  }
}

function makeTls(subject: Subject, value: Encoded): ExposeSpec['tls'] {
  if (value === undefined || value === false) return undefined
  if (value === true) return true
  if (typeof value === 'string' && value !== '') return { secret: value }
  return wrong(subject, 'expose.tls', 'true, or the name of a Secret', value)
}
