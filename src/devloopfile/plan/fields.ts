// Reads options out of what a call was given: each reader reports what is wrong and gives undefined then.
import type { SourcePosition } from '../../errors/devloop-error.js'
import type { Command } from '../../model/plan.js'
import { isMark, type Encoded } from '../declaration.js'
import { listed, nearest } from '../../errors/did-you-mean.js'
import { describeValue } from './describe-value.js'
import type { Problems } from './problems.js'

/** The call that is being read. */
export interface Subject {
  /** Such as `app 'api'`. */
  readonly name: string
  readonly at: SourcePosition
  readonly problems: Problems
}

export type Given = Encoded

/** Report a value of the wrong kind. @param expected such as `a string` */
export function wrong(subject: Subject, path: string, expected: string, value: Given, help?: string): undefined {
  const missing = value === undefined
  if (missing && subject.problems.excused(subject.at, path)) return undefined
  subject.problems.add('devloopfile/invalid', {
    message: missing ? `${subject.name}: \`${path}\` is missing.` : `${subject.name}: \`${path}\` must be ${expected}.`,
    why: missing ? undefined : `Received ${describeValue(value)}.`,
    at: subject.at,
    help: help ?? (missing ? `Give ${expected}.` : undefined),
  })
  return undefined
}

/** Report a rule that is broken. */
export function broken(subject: Subject, message: string, why?: string, help?: string): undefined {
  subject.problems.add('devloopfile/invalid', { message: `${subject.name}: ${message}`, why, at: subject.at, help })
  return undefined
}

/** A plain object, whatever its keys; undefined when it is none. */
export function record(value: Given): Readonly<Record<string, Given>> | undefined {
  const is = typeof value === 'object' && value !== null && !Array.isArray(value) && !isMark(value)
  return is ? (value as Readonly<Record<string, Given>>) : undefined
}

/**
 * The options of a call by name. Unknown ones are reported.
 * @param path where the object stands, '' = it is the options of the call themselves
 * @param known every option there is, as keys
 */
export function options<K extends string>(
  subject: Subject,
  path: string,
  value: Given,
  known: Record<K, true>,
): Partial<Record<K, Given>> {
  const found = record(value)
  const names = Object.keys(known)
  if (!found) {
    const message =
      path === '' ? `${subject.name} needs its options as an object.` : `${subject.name}: \`${path}\` must be an object.`
    subject.problems.add('devloopfile/invalid', {
      message,
      why: `Received ${describeValue(value)}.`,
      at: subject.at,
      help: `Options: ${listed(names)}.`,
    })
    return {}
  }
  for (const key of Object.keys(found)) {
    if (key in known) continue
    const meant = nearest(key, names)
    if (meant !== undefined && !(meant in found)) subject.problems.excuse(subject.at, path === '' ? meant : `${path}.${meant}`)
    subject.problems.add('devloopfile/invalid', {
      message: `${subject.name}: there is no option \`${path === '' ? key : `${path}.${key}`}\`.`,
      why: `Received ${key}: ${describeValue(found[key])}. Options: ${listed(names)}.`,
      at: subject.at,
      help: meant === undefined ? 'Remove it.' : `Did you mean '${meant}'?`,
    })
  }
  return found as Partial<Record<K, Given>>
}

/** A string that is not empty. Undefined where none is given: give `required` to report that too. */
export function string(subject: Subject, path: string, value: Given, required?: 'required'): string | undefined {
  if (value === undefined && !required) return undefined
  if (typeof value !== 'string') return wrong(subject, path, 'a string', value)
  return value === '' ? wrong(subject, path, 'a string that is not empty', value) : value
}

/** Annotations of an object, as they are given. */
export function annotations(subject: Subject, path: string, value: Given): Readonly<Record<string, string>> | undefined {
  if (value === undefined) return undefined
  const given = isMark(value) ? undefined : record(value)
  if (given && Object.values(given).every((item) => typeof item === 'string')) return given as Record<string, string>
  return wrong(subject, path, 'an object with strings by name', value)
}

/** True or false. */
export function boolean(subject: Subject, path: string, value: Given): boolean | undefined {
  if (value === undefined || typeof value === 'boolean') return value
  return wrong(subject, path, 'true or false', value)
}

/** A whole number within bounds. */
export function integer(subject: Subject, path: string, value: Given, low: number, high: number): number | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'number' && Number.isInteger(value) && value >= low && value <= high) return value
  return wrong(subject, path, high < Infinity ? `a whole number from ${low} to ${high}` : `a whole number from ${low} up`, value)
}

export const port = (subject: Subject, path: string, value: Given): number | undefined => integer(subject, path, value, 1, 65_535)

/** A time that is given in seconds, in milliseconds. */
export function seconds(subject: Subject, path: string, value: Given, bound: 'above 0' | 'from 0'): number | undefined {
  if (value === undefined) return undefined
  const good = typeof value === 'number' && Number.isFinite(value) && (value > 0 || (value === 0 && bound === 'from 0'))
  if (good && value <= longestSeconds) return Math.round(value * 1_000)
  return wrong(subject, path, `a number of seconds ${bound}, at most ${longestSeconds}`, value)
}

/** A week: longer ones are a mistake in the unit, and timers have an end. */
const longestSeconds = 604_800

/** `readiness`, as a field of the specification; none = Kubernetes' own readiness counts. */
export function readiness(subject: Subject, path: string, value: Given): { readonly readiness?: 'ignore' } {
  if (value === undefined) return {}
  if (value === 'ignore') return { readiness: value }
  wrong(subject, path, "'ignore'", value, "Leave it out to wait for the pods' own readiness.")
  return {}
}

/** A list of strings that are not empty; a string stands for a list of one. */
export function strings(subject: Subject, path: string, value: Given): readonly string[] | undefined {
  if (value === undefined) return undefined
  const list = typeof value === 'string' ? [value] : value
  if (Array.isArray(list) && list.every((item) => typeof item === 'string' && item !== '')) return list as string[]
  return wrong(subject, path, 'a string or an array of strings', value)
}

/** A string for `sh -c`, or an array to execute. */
export function command(subject: Subject, path: string, value: Given): Command | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'string' && value.trim() !== '') return value
  const list = Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string') && value[0] !== ''
  return list ? (value as string[]) : wrong(subject, path, 'a command: a string, or an array of strings', value)
}

const label = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/

/** A DNS label: names of projects, resources, namespaces. */
export function dnsLabel(subject: Subject, path: string, value: Given): string | undefined {
  const name = string(subject, path, value, 'required')
  if (name === undefined || label.test(name)) return name
  const valid = toLabel(name)
  const rule = 'lower-case letters, digits and `-` (at most 63, no `-` at either end)'
  return wrong(subject, path, rule, name, valid ? `For instance '${valid}'.` : undefined)
}

/** The nearest DNS label of a name; '' where nothing is left of it. */
export const toLabel = (name: string): string =>
  name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 63)
    .replaceAll(/^-+|-+$/g, '')
