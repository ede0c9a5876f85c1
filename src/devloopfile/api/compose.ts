// Compose files: their services as apps.
import type { ErrorInfo, SourcePosition } from '../../errors/devloop-error.js'
import { looksSecret } from '../../model/secret-names.js'
import type { ComposedImage, ComposedService, ComposedText } from '../compose/result.js'
import { callPosition, session } from './session.js'
import { otherKey, snapshot } from './snapshot.js'
import type { App, Compose, ComposeOptions, Image } from './types.js'
import { appMembers } from './resources.js'
import { called, makeValue, UsageError, type TextPiece } from './values.js'

/**
 * The services of a Compose file as apps, to be spread into `resources`. What cannot be followed is a warning of the app, or an error
 * where leaving it out would be wrong, with file and line.
 *
 * @param file path relative to this file; a folder means its `compose.yaml` with `compose.override.yaml`. Of several files, later ones
 *   are laid over earlier ones. Default: the folder of this file.
 * @example
 * resources: [...compose('compose.yaml', { process: { web: { command: 'npm start' } } })]
 */
export function compose(file: string | readonly string[] = '.', options: ComposeOptions = {}): Compose {
  const at = callPosition(compose)
  const files = typeof file === 'string' ? [file] : file
  if (!isNames(files) || files.length === 0) {
    throw new UsageError(
      'compose: the first argument must be the path of a file, or several.',
      "Write compose('compose.yaml').",
      compose,
    )
  }
  const given = readOptions(options)
  const jobs = Object.entries(given.apps).flatMap(([name, app]) => ((app as { job?: unknown }).job ? [name] : []))
  const { services: only, except, profiles } = given
  const composed = session().compose({ files, services: only, except, profiles, jobs, at })
  checkServiceNames(given, composed.services)

  const images = composed.images.map((image, index) => {
    const users = composed.services.filter((service) => service.image === index)
    const more = users.flatMap(({ service }) => given.live[service] ?? [])
    return imageValue(image, more)
  })
  const apps = new Map<string, { app: App; inside: AppInside }>()
  for (const service of composed.services) apps.set(service.service, appValue(service))
  // two passes: services refer to each other, also both ways
  for (const service of composed.services) {
    const { inside } = apps.get(service.service) as { inside: AppInside }
    inside.options = snapshot(appOptions(service, images, apps, given))
  }
  const list = composed.services.map(({ service }) => apps.get(service)?.app as App)
  const service = (name: string): App => {
    const found = apps.get(name)
    if (found) return found.app
    throw new UsageError(`There is no service '${String(name)}'.`, `Services: ${[...apps.keys()].join(', ')}.`, service)
  }
  return Object.freeze(Object.defineProperty(list, 'service', { value: service })) as unknown as Compose
}

interface AppInside {
  readonly kind: 'resource'
  readonly type: 'app'
  readonly name: string
  readonly source: undefined
  options: unknown
  readonly warnings: readonly ErrorInfo[]
  readonly at: SourcePosition
}

type Apps = ReadonlyMap<string, { readonly app: App }>

interface Given {
  readonly services: readonly string[] | undefined
  readonly except: readonly string[]
  readonly profiles: readonly string[]
  readonly live: Readonly<Record<string, readonly unknown[]>>
  readonly process: Readonly<Record<string, unknown>>
  readonly apps: Readonly<Record<string, object>>
}

const known: Record<keyof ComposeOptions, 'names' | 'lists' | 'objects'> = {
  services: 'names',
  except: 'names',
  profiles: 'names',
  live: 'lists',
  process: 'objects',
  apps: 'objects',
}

function readOptions(options: ComposeOptions): Given {
  if (!isObject(options as unknown))
    throw new UsageError('compose needs its options as an object.', `Options: ${Object.keys(known).join(', ')}.`, compose)
  for (const [key, value] of Object.entries(options) as [string, unknown][]) {
    if (!Object.hasOwn(known, key))
      throw new UsageError(`compose: there is no option \`${key}\`.`, `Options: ${Object.keys(known).join(', ')}.`, compose)
    if (value === undefined) continue
    const kind = known[key as keyof ComposeOptions]
    if (kind === 'names' && !isNames(value))
      throw new UsageError(`compose: \`${key}\` must be an array of names.`, `For instance ${key}: ['web'].`, compose)
    if (kind === 'names') continue
    const help =
      kind === 'lists' ? `For instance ${key}: { web: [sync('src', '/app/src')] }.` : `For instance ${key}: { web: { ... } }.`
    if (!isObject(value)) throw new UsageError(`compose: \`${key}\` must be an object with the names of services.`, help, compose)
    for (const [service, one] of Object.entries(value)) {
      const fits = kind === 'lists' ? Array.isArray(one) : isObject(one) || (key === 'process' && one === true)
      if (one !== undefined && !fits)
        throw new UsageError(
          `compose: \`${key}.${service}\` must be ${kind === 'lists' ? 'an array of live rules' : 'an object'}.`,
          help,
          compose,
        )
    }
  }
  const { services, except = [], profiles = [], live = {}, process = {}, apps = {} } = options
  return { services, except, profiles, live, process, apps: apps as Given['apps'] }
}

const isNames = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string' && item !== '')

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(otherKey in value)

function checkServiceNames(given: Given, services: readonly ComposedService[]): void {
  const names = services.map(({ service }) => service)
  for (const key of ['live', 'process', 'apps'] as const) {
    for (const name of Object.keys(given[key])) {
      if (!names.includes(name))
        throw new UsageError(
          `compose: \`${key}\` names the service '${name}', which is not to run.`,
          `Services that are: ${names.join(', ')}.`,
          compose,
        )
      const service = services.find((one) => one.service === name)
      if (key === 'live' && typeof service?.image === 'string') {
        throw new UsageError(
          `compose: \`live\` names the service '${name}', whose image is not built here.`,
          'Give it a `build` in the Compose file.',
          compose,
        )
      }
      if (key === 'process' && given.process[name] === true && service?.command === undefined) {
        throw new UsageError(
          `compose: the Compose file says no command for the service '${name}'.`,
          `Write process: { ${name}: { command: ... } }.`,
          compose,
        )
      }
    }
  }
}

function imageValue({ name, options, live, at }: ComposedImage, more: readonly unknown[]): Image {
  const rules = live.map((rule) => makeValue({ kind: 'rule', ...rule }, {}, `a ${rule.rule} rule`, ''))
  const all = snapshot({ ...options, live: [...rules, ...more] })
  return makeValue(
    { kind: 'image', name, options: all, at },
    { name: { value: name, enumerable: true } },
    called('image', name),
    'Use its `name`.',
  )
}

function appValue({ name, warnings, at }: ComposedService): { app: App; inside: AppInside } {
  const inside: AppInside = { kind: 'resource', type: 'app', name, source: undefined, options: undefined, warnings, at }
  const made: object = makeValue(
    inside,
    { name: { value: name, enumerable: true }, ...appMembers(name, () => made) },
    called('app', name),
    'Write text`...` and `.address`, `.host` or `.port` behind the app.',
  )
  return { app: made as App, inside }
}

function appOptions(service: ComposedService, images: readonly Image[], apps: Apps, given: Given): object {
  const { options, env, needs, rebuildAfter, command } = service
  const process = given.process[service.service]
  const resources = (names: readonly string[]): readonly (App | string)[] => names.map((name) => apps.get(name)?.app ?? name)
  return {
    image: typeof service.image === 'number' ? images[service.image] : service.image,
    ...options,
    env: Object.fromEntries(
      Object.entries(env).map(([key, value]) => {
        const pieces = typeof value === 'string' ? [value] : value
        const plain = pieces.map((piece) => (typeof piece === 'string' ? piece : piece.service)).join('')
        const secret = plain !== '' && looksSecret(key, plain)
        return [key, typeof value === 'string' && !secret ? value : textValue(pieces, apps, service.at, secret)]
      }),
    ),
    ...(needs.length > 0 ? { needs: resources(needs) } : {}),
    ...(rebuildAfter.length > 0 ? { rebuildAfter: resources(rebuildAfter) } : {}),
    ...(process === undefined ? {} : { process: process === true ? { command } : process }),
    ...given.apps[service.service],
  }
}

/** @param secret what is no reference must not be seen: it goes into a Secret */
function textValue(pieces: readonly ComposedText[], apps: Apps, at: SourcePosition, secret: boolean): object {
  const parts = pieces.map((piece): TextPiece => {
    if (typeof piece === 'string') return { kind: secret ? 'sealed' : 'literal', text: piece }
    return { kind: 'address', resource: apps.get(piece.service)?.app as object, port: piece.port, part: piece.part, at }
  })
  return makeValue({ kind: 'text', parts }, {}, 'a text', '')
}
