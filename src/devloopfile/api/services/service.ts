// What the helpers for services have in common: options that are checked at the call, a password, a volume, and values for others.
import type { ServiceKind } from '../../../model/plan.js'
import { didYouMean, listed } from '../../../errors/did-you-mean.js'
import { serviceApp } from '../resources.js'
import type { ApiFunction } from '../session.js'
import { otherKey } from '../snapshot.js'
import { generated, text } from '../text.js'
import type { App, AppOptions, Env, GraphOptions, Text } from '../types.js'
import { called, insideOf, UsageError } from '../values.js'
import type { ServiceOptions } from './types.js'

/** One kind of service. */
export interface Recipe<T extends App, O extends object> {
  readonly kind: ServiceKind
  /** The function of the API that was called. */
  readonly api: ApiFunction
  /** Options beside those of every service. */
  readonly options: readonly (keyof O & string)[]
  /** Official image without its tag, fully qualified: clusters differ in what a short name means. */
  readonly repository: string
  /** Tag when none is said. */
  readonly version: string
  /** User of the official image, by its tag. */
  readonly user: (tag: string) => number
  /** Where its data is, in its container. */
  readonly data: string
  readonly memory: string
  /** Whether it knows no password. */
  readonly open?: boolean
  readonly app: (
    given: Given<O>,
  ) => Pick<AppOptions, 'command' | 'args' | 'ports' | 'port' | 'probe' | 'forward'> & { readonly env: Env }
  /** Texts for others, by name. */
  readonly values: (given: Given<O>, made: T) => Readonly<Record<string, Text>>
  readonly valueNames: readonly string[]
}

/** What a recipe is told. */
export interface Given<O> {
  readonly name: string
  readonly options: O
  readonly password: Text
  /** The same as part of an address. */
  readonly passwordInUrl: Text
}

const common: Record<keyof ServiceOptions, true> = {
  image: true,
  version: true,
  password: true,
  size: true,
  storageClass: true,
  forward: true,
  limits: true,
  runAs: true,
  env: true,
  process: true,
  needs: true,
  rebuildAfter: true,
  labels: true,
  auto: true,
  trigger: true,
  enabled: true,
}

/** @throws UsageError for options that are none, or cannot be what they are */
export function makeService<T extends App, O extends ServiceOptions<string>>(recipe: Recipe<T, O>, name: string, options: O): T {
  const { kind, api } = recipe
  const refuse = (message: string, help: string): never => {
    throw new UsageError(`${called(kind, name)}: ${message}`, help, api)
  }
  checkOptions(recipe, options, refuse)
  const { image, version, password: own, size, storageClass, runAs, limits, env, ...rest } = options
  const tag = String(version ?? recipe.version)
  const user = runAs ?? recipe.user(tag)
  const password = own === undefined ? generated(`${name}-password`) : text`${own}`
  const passwordInUrl = typeof own === 'string' ? text`${encodeURIComponent(own)}` : password
  const given: Given<O> = { name, options, password, passwordInUrl }
  const { env: variables, ...app } = recipe.app(given)
  const graph = Object.fromEntries(
    Object.entries(rest).filter(([key]) => key in graphKeys || key === 'forward' || key === 'process'),
  )
  return serviceApp<T>(
    api,
    kind,
    name,
    {
      image: image ?? `${recipe.repository}:${tag}`,
      ...graph,
      ...app,
      env: { ...variables, ...env },
      user,
      volumes: { [recipe.data]: { volume: `${name}-data`, ...defined({ size, storageClass }) } },
      pod: { limits: { memory: recipe.memory, ...limits }, fsGroup: user, stopTimeout: 30 },
    },
    (made) => recipe.values(given, made),
    recipe.valueNames,
  )
}

const graphKeys: Record<keyof GraphOptions, true> = {
  needs: true,
  rebuildAfter: true,
  labels: true,
  auto: true,
  trigger: true,
  enabled: true,
}

const defined = <T extends object>(given: T): Partial<T> =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Partial<T>

type Refuse = (message: string, help: string) => never

function checkOptions<T extends App, O extends ServiceOptions<string>>(recipe: Recipe<T, O>, options: O, refuse: Refuse): void {
  const names = [...Object.keys(common), ...recipe.options].filter((key) => !(recipe.open && key === 'password'))
  if (!isPlain(options)) return refuse('its options must be an object.', `Options: ${listed(names)}.`)
  for (const key of Object.keys(options)) {
    if (!names.includes(key)) refuse(`there is no option \`${key}\`.`, didYouMean(key, names) ?? `Options: ${listed(names)}.`)
  }
  const { image, version, password, runAs, limits, env } = options
  if (image !== undefined && version !== undefined)
    refuse('`image` and `version` say both what it runs.', 'Write the tag behind the image, and leave `version` out.')
  if (image !== undefined && typeof image !== 'string')
    refuse('`image` must be a reference.', `Such as '${recipe.repository}:${recipe.version}'.`)
  if (version !== undefined && !/^\w[\w.-]{0,127}$/.test(String(version)))
    refuse('`version` must be the tag of an image.', `Such as '${recipe.version}'.`)
  if (password !== undefined && (password === '' || (typeof password !== 'string' && insideOf(password)?.kind !== 'text')))
    refuse(
      '`password` must be a string that is not empty, or a text.',
      "Leave it out for a generated one, or write generated('NAME').",
    )
  if (runAs !== undefined && !(Number.isInteger(runAs) && runAs > 0))
    refuse('`runAs` must be the number of a user that is not root.', 'Leave it out for that of the official image.')
  for (const [key, value] of Object.entries({ limits, env })) {
    if (value !== undefined && !isPlain(value)) refuse(`\`${key}\` must be an object.`, 'See `app`.')
  }
  for (const key of ['database', 'user', 'bucket', 'vhost']) {
    const value = (options as Readonly<Record<string, unknown>>)[key]
    if (!recipe.options.includes(key as keyof O & string) || value === undefined) continue
    const form = key === 'bucket' ? /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/ : /^[A-Za-z_][\w-]{0,62}$/
    if (typeof value !== 'string' || !form.test(value))
      refuse(
        `\`${key}\` must be a name.`,
        key === 'bucket'
          ? 'Use 3 to 63 lower-case letters, digits, `-` and `.`.'
          : 'Use letters, digits, `_` and `-`, a letter first.',
      )
  }
}

const isPlain = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !insideOf(value) && !(otherKey in value)
