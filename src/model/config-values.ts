// The values of a config, put together from where they come from. Pure.
import { DevloopError } from '../errors/devloop-error.js'
import { didYouMean, listed } from '../errors/did-you-mean.js'
import type { ConfigRef, ConfigSource, ConfigSpec, SealedTexts, TextPart, TextValue } from './plan.js'

/** By name. */
export type ConfigValues = ReadonlyMap<string, Buffer>

/** What was read of each of a config's sources, in their order; nothing of those that are not read on this machine. */
export type ConfigRead = readonly ConfigValues[]

/** What a config's values come from beside what was read. */
export interface ValueOrigins {
  readonly text: (text: TextValue) => string
  readonly secret: (source: Extract<ConfigSource, { kind: 'secret' }>) => ConfigValues
}

/** Whether a ConfigMap or Secret can hold a value of this name. */
export const isConfigKey = (name: string): boolean =>
  /^[-._a-zA-Z0-9]{1,253}$/.test(name) && !name.startsWith('..') && name !== '.'

/** Bytes that a ConfigMap or Secret may hold: the cluster's limit for the whole object, less some room for what is around them. */
const maxBytes = 1_000_000

/** All values; later sources win. @throws DevloopError config/source when they are too large for the cluster */
export function mergeValues(spec: ConfigSpec, read: ConfigRead, { text, secret }: ValueOrigins): ConfigValues {
  const values = new Map<string, Buffer>()
  spec.sources.forEach((source, index) => {
    if (source.kind === 'values')
      for (const [key, value] of Object.entries(source.values)) values.set(key, Buffer.from(text(value)))
    else for (const [key, value] of source.kind === 'secret' ? secret(source) : (read[index] ?? [])) values.set(key, value)
  })
  const bytes = [...values].reduce((sum, [key, value]) => sum + key.length + value.length, 0)
  if (bytes <= maxBytes) return values
  throw new DevloopError('config/source', `${spec.name} holds ${bytes} bytes, more than a ${objectKindOf(spec)} can.`, {
    where: spec.at,
    help: 'Put large files into the image, or on a volume.',
  })
}

/** Kind of the cluster's object that a config becomes. */
export const objectKindOf = ({ secret }: { readonly secret?: boolean }): 'ConfigMap' | 'Secret' =>
  secret ? 'Secret' : 'ConfigMap'

/** Gives the values of a config that was deployed; undefined = it was not. */
export type ConfigsByName = (name: string) => ConfigValues | undefined

/** Of a config that somebody takes values from. @param who wants them, as errors call it @throws DevloopError config/value */
export function valuesOf(configs: ConfigsByName, { config, secret }: ConfigRef, who: string): ConfigValues {
  const values = configs(config)
  if (values) return values
  const kind = secret ? 'secret' : 'config'
  throw new DevloopError('config/value', `${who} takes values from the ${kind} ${config}, which is not deployed.`, {
    help: `See what holds it: devloop status ${config}`,
  })
}

/** One value as text. @throws DevloopError config/value */
export function valueOf(configs: ConfigsByName, part: ConfigRef & { readonly key: string }, who: string): string {
  const values = valuesOf(configs, part, who)
  const value = values.get(part.key)
  if (value) return value.toString('utf8')
  const kind = part.secret ? 'secret' : 'config'
  throw new DevloopError('config/value', `${who} takes ${part.key} from the ${kind} ${part.config}, which has no such value.`, {
    why: values.size > 0 ? `It has ${listed([...values.keys()])}.` : 'It has none.',
    help: didYouMean(part.key, values.keys()) ?? 'Correct the name, or add the value.',
  })
}

/** What a part of a text stands for that is the same wherever it is used. */
export type ValuePart = Extract<TextPart, { kind: 'sealed' | 'config' }>

export function resolveValue(part: ValuePart, configs: ConfigsByName, sealed: SealedTexts, who: string): string {
  if (part.kind === 'config') return valueOf(configs, part, who)
  const text = sealed[part.id]
  if (text === undefined) throw new Error(`${who}: a sealed text was not given`)
  return text
}
