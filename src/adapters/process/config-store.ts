// The values of configs on this machine: in memory, and nowhere else.
import { createHmac, randomBytes } from 'node:crypto'
import { mergeValues, type ConfigsByName, type ConfigValues } from '../../model/config-values.js'
import type { ConfigSpec } from '../../model/plan.js'
import type { Deployed, DeployRequest, RuntimeOptions } from '../../ports/runtime.js'
import { resolveText, type TextContext } from './app-env.js'

export interface ConfigStore {
  readonly get: ConfigsByName
  /** Puts its values together. @throws DevloopError config/*, app/start */
  deploy(spec: ConfigSpec, request: DeployRequest, context: TextContext): Deployed
  remove(name: string): void
}

/** @param onSecrets told each secret value by its name */
export function createConfigStore(onSecrets: RuntimeOptions['onSecrets']): ConfigStore {
  const deployed = new Map<string, ConfigValues>()
  const digestKey = randomBytes(32)
  return {
    get: (name) => deployed.get(name),
    deploy(spec, { read = [] }, context) {
      const values = mergeValues(spec, read, {
        text: (text) => resolveText(spec, text, context),
        // such a config is not deployed here at all
        secret: () => new Map(),
      })
      if (spec.secret)
        onSecrets?.(Object.fromEntries([...values].map(([key, value]) => [`${spec.name}/${key}`, value.toString('utf8')])))
      deployed.set(spec.name, values)
      const digest = createHmac('sha256', digestKey)
      for (const [key, value] of values) digest.update(JSON.stringify([key, value.length])).update(value)
      return { objects: [], templates: [], warnings: [], digest: digest.digest('hex').slice(0, 16) }
    },
    remove: (name) => void deployed.delete(name),
  }
}
