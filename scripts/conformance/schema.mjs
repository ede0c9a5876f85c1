// Holds a message against docs/protocol.schema.json. Knows the words of JSON Schema that this file uses, and says so when it uses another.
import { readFileSync } from 'node:fs'

const file = new URL('../../docs/protocol.schema.json', import.meta.url)

/** Words that say nothing about validity. */
const notes = new Set(['title', 'description', 'readOnly', '$schema', '$id', '$defs', 'default', 'examples', 'id', 'format'])

/**
 * @returns what is wrong with a value as a definition of the schema, such as `DaemonMessage`, in words; undefined = nothing.
 * `definition` tells whether there is one of that name.
 */
export function createSchema(schema = JSON.parse(readFileSync(file, 'utf8'))) {
  const definition = (name) => schema.$defs[name]
  const problem = (name, value) => {
    const found = look({ $ref: `#/$defs/${name}` }, value, name)
    return found && `${found.path} ${found.why}`
  }

  /** The same of what a request takes or gives: of `RequestParams` or `RequestResults`; undefined also where the schema has no such method. */
  const problemOf = (name, method, value) => {
    const { properties } = definition(name)
    const found = Object.hasOwn(properties, method) ? look(properties[method], value, `${name}.${method}`) : undefined
    return found && `${found.path} ${found.why}`
  }

  /** @returns `{ path, why, depth }`, or undefined */
  function look(rule, value, path) {
    for (const [word, argument] of Object.entries(rule)) {
      if (notes.has(word)) continue
      const judge = judges[word]
      if (!judge) throw new Error(`docs/protocol.schema.json uses ${word}, which this suite does not know`)
      const found = judge(argument, value, path, rule)
      if (found) return found
    }
    return undefined
  }

  const no = (path, why) => ({ path, why, depth: path.length })
  const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value)
  const types = {
    string: (value) => typeof value === 'string',
    number: (value) => typeof value === 'number',
    integer: (value) => Number.isInteger(value),
    boolean: (value) => typeof value === 'boolean',
    null: (value) => value === null,
    array: Array.isArray,
    object: isObject,
  }

  /** Of the branches that do not fit, the one that came farthest says what is wrong. */
  const some = (branches, value, path) => {
    const found = branches.map((branch) => look(branch, value, path))
    if (found.includes(undefined)) return undefined
    return found.reduce((best, one) =>
      one.depth > best.depth && !/\.(type|kind) is not/.test(`${one.path} ${one.why}`) ? one : best,
    )
  }

  const judges = {
    $ref: (ref, value, path) => {
      const target = definition(ref.replace('#/$defs/', ''))
      if (!target) throw new Error(`docs/protocol.schema.json has no ${ref}`)
      return look(target, value, path)
    },
    anyOf: some,
    oneOf: some,
    allOf: (rules, value, path) => rules.map((rule) => look(rule, value, path)).find(Boolean),
    type: (wanted, value, path) =>
      [wanted].flat().some((type) => types[type](value))
        ? undefined
        : no(path, `is not of type ${[wanted].flat().join(' or ')}: ${brief(value)}`),
    const: (wanted, value, path) =>
      value === wanted ? undefined : no(path, `is not ${JSON.stringify(wanted)}: ${brief(value)}`),
    enum: (list, value, path) => (list.includes(value) ? undefined : no(path, `is none of ${list.join(', ')}: ${brief(value)}`)),
    required: (names, value, path) => {
      const missing = isObject(value) && names.find((name) => !Object.hasOwn(value, name))
      return missing ? no(path, `has no ${missing}`) : undefined
    },
    properties: (rules, value, path) => {
      if (!isObject(value)) return undefined
      for (const [name, rule] of Object.entries(rules)) {
        const found = Object.hasOwn(value, name) && look(rule, value[name], `${path}.${name}`)
        if (found) return found
      }
      return undefined
    },
    additionalProperties: (rule, value, path, { properties = {} }) => {
      if (!isObject(value) || rule === true) return undefined
      for (const name of Object.keys(value)) {
        if (Object.hasOwn(properties, name)) continue
        const found = rule === false ? no(`${path}.${name}`, 'is not allowed') : look(rule, value[name], `${path}.${name}`)
        if (found) return found
      }
      return undefined
    },
    propertyNames: (rule, value, path) =>
      isObject(value)
        ? Object.keys(value)
            .map((name) => look(rule, name, `${path}'s key`))
            .find(Boolean)
        : undefined,
    items: (rule, value, path) => {
      if (!Array.isArray(value)) return undefined
      for (const [index, item] of value.entries()) {
        const found = look(rule, item, `${path}[${index}]`)
        if (found) return found
      }
      return undefined
    },
    minimum: (least, value, path) =>
      typeof value === 'number' && value < least ? no(path, `is below ${least}: ${value}`) : undefined,
    maximum: (most, value, path) =>
      typeof value === 'number' && value > most ? no(path, `is above ${most}: ${value}`) : undefined,
    minLength: (least, value, path) => (typeof value === 'string' && value.length < least ? no(path, 'is too short') : undefined),
    maxLength: (most, value, path) => (typeof value === 'string' && value.length > most ? no(path, 'is too long') : undefined),
    minItems: (least, value, path) => (Array.isArray(value) && value.length < least ? no(path, 'has too few items') : undefined),
    maxItems: (most, value, path) => (Array.isArray(value) && value.length > most ? no(path, 'has too many items') : undefined),
    pattern: (pattern, value, path) =>
      typeof value === 'string' && !new RegExp(pattern, 'u').test(value)
        ? no(path, `does not match ${pattern}: ${brief(value)}`)
        : undefined,
  }

  return { problem, problemOf, definition }
}

/** A value in a few words. */
export function brief(value, most = 200) {
  const text = value === undefined ? 'nothing' : JSON.stringify(value instanceof Set ? [...value] : value)
  return text.length > most ? `${text.slice(0, most)}…` : text
}
