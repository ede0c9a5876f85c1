// A config as the ConfigMap or Secret that it becomes.
import { isUtf8 } from 'node:buffer'
import { DevloopError, type ErrorInfo } from '../../../errors/devloop-error.js'
import { listed } from '../../../errors/did-you-mean.js'
import { objectKindOf, type ConfigValues } from '../../../model/config-values.js'
import type { ConfigSpec } from '../../../model/plan.js'
import { looksSecret } from '../../../model/secret-names.js'
import { ownerLabels, type Owner, type Rendered } from './rendered.js'

/** Values as a Secret holds them. */
export const inBase64 = (values: Iterable<readonly [string, Buffer]>): Record<string, string> =>
  Object.fromEntries([...values].map(([key, value]) => [key, value.toString('base64')]))

export function renderConfig(spec: ConfigSpec, values: ConfigValues, owner: Owner, namespace: string): Rendered {
  const metadata = { name: spec.name, namespace, labels: ownerLabels(owner) }
  const head = { apiVersion: 'v1', kind: objectKindOf(spec), metadata }
  if (spec.secret)
    return { objects: [{ object: { ...head, type: 'Opaque', data: inBase64(values) }, at: spec.at }], warnings: [] }
  const texts = [...values].filter(([, value]) => isUtf8(value))
  const others = [...values].filter(([, value]) => !isUtf8(value))
  const object = {
    ...head,
    data: Object.fromEntries(texts.map(([key, value]) => [key, value.toString('utf8')])),
    ...(others.length > 0 ? { binaryData: inBase64(others) } : {}),
  }
  return { objects: [{ object, at: spec.at }], warnings: exposed(spec, values) }
}

function exposed(spec: ConfigSpec, values: ConfigValues): readonly ErrorInfo[] {
  const names = [...values].flatMap(([key, value]) => (looksSecret(key, value.toString('utf8', 0, 2000)) ? [key] : []))
  if (names.length === 0) return []
  return [
    new DevloopError('config/exposed', `${spec.name} holds ${listed(names)} in a ConfigMap, which looks secret.`, {
      why: 'Everybody who may look into the namespace can read it there, and devloop shows it.',
      where: spec.at,
      help: `Declare it by secret('${spec.name}', ...) instead, or put only these values into a secret of their own.`,
    }).info,
  ]
}
