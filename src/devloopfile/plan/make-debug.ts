// `debug` of an app: which debugger, and which ports lead to it.
import { debugPorts } from '../../model/debug-command.js'
import { forwardsOf, type AppSpec, type DebugLanguage, type DebugSpec, type ResourceSpec } from '../../model/plan.js'
import type { DebugOptions } from '../api/types.js'
import { didYouMean, listed } from '../../errors/did-you-mean.js'
import { broken, options, port, record, wrong, type Given, type Subject } from './fields.js'

const known: Record<keyof DebugOptions, true> = { language: true, local: true }
const languages = Object.keys(debugPorts) as DebugLanguage[]

/** What is meant when no port is named: the usual one, or the next that no other resource wants. */
const usual = 0

/** @param ports those of the app, by name */
export function makeDebug(subject: Subject, value: Given, ports: AppSpec['ports']): DebugSpec | undefined {
  if (value === undefined) return undefined
  const more = record(value)
  const given = more ? options(subject, 'debug', value, known) : { language: value, local: undefined }
  const language = languages.find((name) => name === given.language)
  if (!language) {
    const path = more ? 'debug.language' : 'debug'
    const names = listed(
      languages.map((name) => `'${name}'`),
      'or',
    )
    const meant = typeof given.language === 'string' ? didYouMean(given.language, languages) : undefined
    return wrong(subject, path, names, given.language, meant)
  }
  const number = debugPorts[language]
  const [name] = Object.entries(ports).find(([, one]) => one === number) ?? []
  if (name !== undefined)
    return broken(
      subject,
      `its port '${name}' is the one that the debugger listens on in the container.`,
      `Received ${number}.`,
      'Let the app listen on another port, or remove the port: devloop forwards the debugger by itself.',
    )
  if (!more) return { language, port: number, local: usual, fallback: 'next-free' }
  const local =
    given.local === undefined
      ? wrong(subject, 'debug.local', 'a port number', undefined)
      : port(subject, 'debug.local', given.local)
  return local === undefined ? undefined : { language, port: number, local }
}

/** Gives each app that names no port for its debugger one of its own, in the order of the resources. */
export function ownDebugPorts(all: readonly ResourceSpec[]): (spec: ResourceSpec) => ResourceSpec {
  const taken = new Set(
    all.flatMap((spec) => [
      ...forwardsOf(spec).map(({ local }) => local),
      ...(spec.kind === 'local' && spec.port !== undefined ? [spec.port] : []),
    ]),
  )
  return (spec) => {
    if (spec.kind !== 'app' || spec.debug?.local !== usual) return spec
    let local = spec.debug.port
    while (taken.has(local)) local++
    taken.add(local)
    return { ...spec, debug: { ...spec.debug, local } }
  }
}
