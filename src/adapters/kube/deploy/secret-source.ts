// A Secret of the cluster that a secret of the Devloopfile takes its values from.
import { DevloopError } from '../../../errors/devloop-error.js'
import { listed } from '../../../errors/did-you-mean.js'
import type { ConfigValues } from '../../../model/config-values.js'
import type { ConfigSource, ConfigSpec } from '../../../model/plan.js'
import type { KubeConnection } from '../connection.js'
import { statusOf } from '../errors.js'
import { readObject, type LiveObject } from './cluster-objects.js'

export type SecretSource = Extract<ConfigSource, { kind: 'secret' }>

export type ReadSecretSource = (spec: ConfigSpec, source: SecretSource, signal: AbortSignal) => Promise<ConfigValues>

/** Its values. @param onRead told what was found, undefined = nothing. @throws DevloopError config/missing, cluster/* */
export async function readSecretSource(
  connection: KubeConnection,
  spec: ConfigSpec,
  { namespace, name, keys }: SecretSource,
  signal: AbortSignal,
  onRead?: (live: LiveObject | undefined) => void,
): Promise<ConfigValues> {
  const what = `the Secret ${namespace}/${name}`
  const missing = (message: string, why?: string, help?: string): DevloopError =>
    new DevloopError('config/missing', `${spec.name} takes values from ${what}, ${message}.`, {
      where: spec.at,
      ...(why === undefined ? {} : { why }),
      ...(help === undefined ? {} : { help }),
    })
  let live: LiveObject | undefined
  try {
    live = await readObject(
      connection,
      `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets/${encodeURIComponent(name)}`,
      signal,
    )
  } catch (error) {
    const status = statusOf(error)
    if (status?.code !== 403) throw error
    const help = `Ask for a Role in ${namespace} with get, list and watch on secrets, resourceNames: ['${name}'].`
    throw missing('which may not be read', status.message, help)
  }
  onRead?.(live)
  if (!live) throw missing('which does not exist', undefined, 'Create it: it is read as soon as it is there.')
  const data = (live.data ?? {}) as Readonly<Record<string, string>>
  const names = keys ?? Object.keys(data)
  const absent = names.filter((key) => !Object.hasOwn(data, key))
  if (absent.length > 0) throw missing(`which has no ${listed(absent)}`, `It has ${listed(Object.keys(data))}.`)
  return new Map(names.map((key) => [key, Buffer.from(data[key] ?? '', 'base64')]))
}
