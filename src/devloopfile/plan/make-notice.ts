// How an app is told that its files are there: by a request, or by a signal.
import { reloadSignals, type NoticeSpec, type ReloadSignal } from '../../model/plan.js'
import type { NotifyOptions, NotifyRequest } from '../api/types.js'
import { isMark } from '../declaration.js'
import { didYouMean, listed } from '../../errors/did-you-mean.js'
import { broken, options, port, seconds, wrong, type Given, type Subject } from './fields.js'

type Keys<T> = T extends unknown ? keyof T : never
const known: Record<Keys<NotifyOptions>, true> = { on: true, timeout: true, http: true, signal: true }
const requestKnown: Record<keyof NotifyRequest, true> = { port: true, path: true, method: true, body: true }
const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD']

/** The options of `notify`. `how` and `timeoutMs` are undefined where they are wrong; `on` is as it was given. */
export function makeNotice(
  subject: Subject,
  value: Given,
): { how?: NoticeSpec | undefined; on: Given; timeoutMs?: number | undefined } {
  const given = options(subject, '', value, known)
  const timeoutMs = given.timeout === undefined ? 10_000 : seconds(subject, 'timeout', given.timeout, 'above 0')
  return { how: makeHow(subject, given.http, given.signal), on: given.on, timeoutMs }
}

function makeHow(subject: Subject, http: Given, signal: Given): NoticeSpec | undefined {
  if ((http === undefined) === (signal === undefined)) {
    const why = http === undefined ? 'Neither `http` nor `signal` is given.' : 'Both `http` and `signal` are given.'
    return broken(subject, 'it needs one way to tell the app.', why, "Give { http: { port: 3000 } } or { signal: 'SIGHUP' }.")
  }
  if (http === undefined) {
    const name = makeSignal(subject, signal)
    return name && { kind: 'signal', signal: name }
  }
  return makeRequest(subject, http)
}

/** A signal that a program may take for a wish to reload. */
export function makeSignal(subject: Subject, value: Given): ReloadSignal | undefined {
  const found = reloadSignals.find((name) => name === value)
  if (found) return found
  const names = listed(
    reloadSignals.map((name) => `'${name}'`),
    'or',
  )
  const ends = typeof value === 'string' && /^(?:SIG)?(?:TERM|KILL|INT|QUIT|STOP|ABRT)$/i.test(value)
  const meant = typeof value === 'string' ? didYouMean(/^sig/i.test(value) ? value : `SIG${value}`, reloadSignals) : undefined
  return wrong(
    subject,
    'signal',
    names,
    value,
    ends ? 'That one ends a process: use restart(...) without `signal` to replace it.' : meant,
  )
}

function makeRequest(subject: Subject, value: Given): NoticeSpec | undefined {
  const given = options(subject, 'http', value, requestKnown)
  const number =
    given.port === undefined ? wrong(subject, 'http.port', 'a port number', undefined) : port(subject, 'http.port', given.port)
  const path = given.path ?? '/'
  // what cannot stand in a request line has to be written with percent signs
  if (typeof path !== 'string' || !/^\/[\x21-\x7e]*$/.test(path))
    return wrong(subject, 'http.path', 'a path that begins with a slash, without spaces', path, "For instance '/reload'.")
  const method = given.method ?? 'POST'
  if (typeof method !== 'string' || !methods.includes(method)) {
    const meant = typeof method === 'string' ? didYouMean(method, methods) : undefined
    return wrong(subject, 'http.method', listed(methods, 'or'), method, meant)
  }
  const { body } = given
  if (body !== undefined && (typeof body === 'number' || typeof body === 'boolean' || body === null || isMark(body)))
    return wrong(subject, 'http.body', 'a string, or an object or array that is sent as JSON', body)
  if (number === undefined) return undefined
  const sent =
    body === undefined
      ? {}
      : {
          body:
            typeof body === 'string'
              ? { text: body, type: 'text/plain; charset=utf-8' }
              : { text: JSON.stringify(body), type: 'application/json' },
        }
  return { kind: 'http', port: number, path, method, ...sent }
}
