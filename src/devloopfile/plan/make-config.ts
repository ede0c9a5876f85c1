// Configs and secrets: a declared one becomes the specification in the plan.
import { basename, resolve } from 'node:path'
import { isConfigKey } from '../../model/config-values.js'
import { isSecretText, type ConfigSource, type ConfigSpec, type TextPart, type TextValue } from '../../model/plan.js'
import type { ConfigOptions, EnvFile, SecretOptions, SecretSource } from '../api/types.js'
import { isMark, type DeclaredResource, type Encoded } from '../declaration.js'
import { boolean, broken, command, dnsLabel, options, record, seconds, string, strings, wrong, type Subject } from './fields.js'
import { makeCwd } from './make-cwd.js'
import { graphKnown, makeGraph } from './make-graph.js'
import type { Needs } from './make-needs.js'
import { makeText } from './make-text.js'
import { baseOf } from './make-volumes.js'
import { makeWatch } from './make-watch.js'
import { called } from './names.js'
import type { PlanWork } from './work.js'

const configKnown: Record<keyof ConfigOptions, true> = { folder: true, files: true, envFile: true, values: true, ...graphKnown }
const secretKnown: Record<keyof SecretOptions, true> = {
  folder: true,
  files: true,
  from: true,
  command: true,
  format: true,
  watch: true,
  cwd: true,
  timeout: true,
  envFile: true,
  values: true,
  ...graphKnown,
}
const fromKnown: Record<keyof SecretSource, true> = { namespace: true, name: true, keys: true }
const envFileKnown: Record<keyof EnvFile, true> = { path: true, required: true }

type Given = { readonly [K in keyof SecretOptions]?: Encoded }

export async function makeConfig(work: PlanWork, resource: DeclaredResource, needs: Needs): Promise<ConfigSpec> {
  const subject: Subject = { name: called(resource.type, resource.name), at: resource.at, problems: work.problems }
  const secret = resource.type === 'secret'
  const given: Given = secret
    ? options(subject, '', withoutValues(resource.options), secretKnown)
    : options(subject, '', resource.options, configKnown)
  const places: readonly (keyof Given)[] = ['folder', 'files', 'from', 'command', 'envFile', 'values']
  if (record(resource.options) && places.every((key) => given[key] === undefined)) {
    const help = `Give it ${secret ? '`values`, `envFile`, `files`, `folder`, `command` or `from`' : '`values`, `envFile`, `files` or `folder`'}.`
    broken(subject, 'it takes its values from nowhere.', undefined, help)
  }
  return {
    kind: 'config',
    name: dnsLabel(subject, 'name', resource.name) ?? '',
    secret,
    sources: [
      ...makeFolder(subject, given.folder),
      ...makeFiles(subject, given.files),
      ...makeFrom(subject, given.from),
      ...(await makeCommand(work, subject, given)),
      ...makeEnvFiles(subject, given.envFile),
      ...makeValues(work, subject, given.values, secret),
    ],
    ...makeGraph(subject, given, needs),
    forward: [],
    at: resource.at,
  }
}

/** What is no option is shown in an error: a secret that stands there must not be. */
function withoutValues(value: Encoded): Encoded {
  const given = record(value)
  if (!given) return typeof value === 'string' ? '***' : value
  return Object.fromEntries(
    Object.entries(given).map(([key, item]) => [key, key in secretKnown || typeof item !== 'string' ? item : '***']),
  )
}

function makeFolder(subject: Subject, value: Encoded): readonly ConfigSource[] {
  const path = string(subject, 'folder', value)
  return path === undefined ? [] : [{ kind: 'folder', path: resolve(baseOf(subject), path) }]
}

function makeFiles(subject: Subject, value: Encoded): readonly ConfigSource[] {
  if (value === undefined) return []
  const named = record(value)
  const entries: readonly (readonly [string, Encoded])[] = named
    ? Object.entries(named)
    : (strings(subject, 'files', value) ?? []).map((path) => [basename(path), path] as const)
  return entries.flatMap(([key, item]): ConfigSource[] => {
    const path = string(subject, `files['${key}']`, item, 'required')
    if (path === undefined || !checkKey(subject, 'files', key)) return []
    return [{ kind: 'file', key, path: resolve(baseOf(subject), path) }]
  })
}

function makeFrom(subject: Subject, value: Encoded): readonly ConfigSource[] {
  if (value === undefined) return []
  const given = options(subject, 'from', value, fromKnown)
  if (!record(value)) return []
  const namespace = dnsLabel(subject, 'from.namespace', given.namespace)
  const name = string(subject, 'from.name', given.name, 'required')
  const keys = strings(subject, 'from.keys', given.keys)
  if (namespace === undefined || name === undefined) return []
  if (!/^[a-z0-9](?:[-.a-z0-9]{0,251}[a-z0-9])?$/.test(name)) {
    wrong(subject, 'from.name', 'the name of a Secret', name)
    return []
  }
  return [{ kind: 'secret', namespace, name, ...(keys ? { keys } : {}) }]
}

const formats = ['dotenv', 'json', 'yaml'] as const

async function makeCommand(work: PlanWork, subject: Subject, given: Given): Promise<readonly ConfigSource[]> {
  if (given.command === undefined) {
    for (const key of ['format', 'watch', 'cwd', 'timeout'] as const)
      if (given[key] !== undefined)
        broken(subject, `\`${key}\` is for \`command\`, and there is none.`, undefined, `Remove \`${key}\`.`)
    return []
  }
  const run = command(subject, 'command', given.command)
  const cwd = await makeCwd(work, subject, given.cwd)
  const watch = makeWatch(subject, given.watch)
  const timeoutMs = seconds(subject, 'timeout', given.timeout, 'above 0') ?? 60_000
  const format = makeFormat(subject, given.format)
  return run === undefined ? [] : [{ kind: 'command', command: run, cwd, watch, format, timeoutMs }]
}

function makeFormat(subject: Subject, value: Encoded): Extract<ConfigSource, { kind: 'command' }>['format'] {
  if (value === undefined) return 'dotenv'
  const known = formats.find((one) => one === value)
  if (known) return known
  const { key, ...more } = record(value) ?? {}
  if (typeof key === 'string' && Object.keys(more).length === 0) {
    checkKey(subject, 'format', key)
    return { key }
  }
  wrong(subject, 'format', "'dotenv', 'json', 'yaml' or { key: 'NAME' }", value)
  return 'dotenv'
}

function makeEnvFiles(subject: Subject, value: Encoded): readonly ConfigSource[] {
  if (value === undefined) return []
  const list = (Array.isArray(value) ? value : [value]) as readonly Encoded[]
  return list.flatMap((item, index): ConfigSource[] => {
    const at = Array.isArray(value) ? `envFile[${index}]` : 'envFile'
    if (typeof item !== 'string' && (isMark(item) || !record(item))) {
      wrong(subject, at, 'the path of a file, or { path, required }', item ?? null)
      return []
    }
    const given = typeof item === 'string' ? { path: item } : options(subject, at, item, envFileKnown)
    const path = string(subject, `${at}.path`, given.path, 'required')
    const required = boolean(subject, `${at}.required`, 'required' in given ? given.required : undefined) ?? true
    if (path === undefined) return []
    return [{ kind: 'env-file', path: resolve(baseOf(subject), path), ...(required ? {} : { optional: true }) }]
  })
}

function makeValues(work: PlanWork, subject: Subject, value: Encoded, secret: boolean): readonly ConfigSource[] {
  if (value === undefined) return []
  const given = record(value)
  if (!given) {
    wrong(subject, 'values', 'an object with values by their names', secret && typeof value === 'string' ? '***' : value)
    return []
  }
  const entries = Object.entries(given).flatMap(([key, item]): (readonly [string, TextValue])[] => {
    if (!checkKey(subject, 'values', key)) return []
    if (secret && Array.isArray(item)) {
      // what it holds must not be shown
      broken(subject, `\`values.${key}\` must be a string, number, boolean or text.`, 'Received an array.')
      return []
    }
    const text = makeText(work, subject, `values.${key}`, item)
    if (secret) return [[key, text.map((part) => sealed(work, part))]]
    if (isSecretText(text)) {
      const help = `Give it to an app by a secret: secret('NAME', { values: { ${key}: ... } }).`
      broken(subject, `\`values.${key}\` holds a secret, and a ConfigMap is no place for one.`, undefined, help)
    }
    return [[key, text]]
  })
  return [{ kind: 'values', values: Object.fromEntries(entries) }]
}

const sealed = (work: PlanWork, part: TextPart): TextPart =>
  part.kind === 'literal' ? { kind: 'sealed', id: work.sealed.id(part.text) } : part

function checkKey(subject: Subject, path: string, key: string): boolean {
  if (isConfigKey(key)) return true
  const help = 'Use letters, digits, `-`, `_` and `.`; a file can be given another name: files: { name: path }.'
  broken(subject, `\`${path}\`: '${key}' cannot be the name of a value.`, undefined, help)
  return false
}
