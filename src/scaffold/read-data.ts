// Values of manifests in TOML, JSON, YAML and XML, read without trust: what is not as expected is undefined, and never a reason to throw.
import { XMLParser } from 'fast-xml-parser'
import { parse as parseTomlText } from 'smol-toml'
import { parseAllDocuments } from 'yaml'

/** undefined for no text, and for one that cannot be parsed. */
export const parseToml = (text: string | undefined): unknown => attempt(text, parseTomlText)

/** undefined for no text, and for one that cannot be parsed. */
export const parseJson = (text: string | undefined): unknown => attempt(text, JSON.parse)

/** The documents of a YAML text; none where it cannot be parsed. */
export const parseYaml = (text: string | undefined): readonly unknown[] =>
  (attempt(text, (source) => parseAllDocuments(source).map((document) => document.toJS() as unknown)) as unknown[] | undefined) ??
  []

/** Elements are fields, their attributes too, with `@` before the name. What is there once is no list: see `listOf`. */
export const parseXml = (text: string | undefined): unknown =>
  attempt(
    text,
    (source) =>
      new XMLParser({ ignoreAttributes: false, attributeNamePrefix: '@', parseTagValue: false }).parse(source) as unknown,
  )

function attempt(text: string | undefined, parse: (text: string) => unknown): unknown {
  if (text === undefined) return undefined
  try {
    return parse(text)
  } catch {
    return undefined
  }
}

/** What stands at a path of keys. */
export function at(value: unknown, ...keys: readonly string[]): unknown {
  let found = value
  for (const key of keys) {
    if (!isObject(found) || !Object.hasOwn(found, key)) return undefined
    found = found[key]
  }
  return found
}

/** A text that is not empty, or a number as text. */
export const textAt = (value: unknown, ...keys: readonly string[]): string | undefined => {
  const found = at(value, ...keys)
  if (typeof found === 'number') return String(found)
  return typeof found === 'string' && found.trim() !== '' ? found.trim() : undefined
}

/** A list; what is there once is a list of one. */
export const listAt = (value: unknown, ...keys: readonly string[]): readonly unknown[] => {
  const found = at(value, ...keys)
  return Array.isArray(found) ? found : found === undefined || found === null || found === '' ? [] : [found]
}

/** The texts of a list. */
export const textsAt = (value: unknown, ...keys: readonly string[]): readonly string[] =>
  listAt(value, ...keys).filter((one) => typeof one === 'string')

/** The names of an object's fields. */
export const keysAt = (value: unknown, ...keys: readonly string[]): readonly string[] => {
  const found = at(value, ...keys)
  return isObject(found) ? Object.keys(found) : []
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
