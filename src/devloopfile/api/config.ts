// Values that apps are given: what becomes a ConfigMap or a Secret.
import type { ApiFunction } from './session.js'
import { resource } from './resources.js'
import { configText } from './text.js'
import type { Config, ConfigOptions, SecretOptions } from './types.js'

/**
 * Values that are not secret, from values, env files, files and folders: a ConfigMap of the cluster.
 *
 * @param name lower-case letters, digits and `-`: also the name of the ConfigMap
 * @example
 * const settings = config('settings', { envFile: '.env', values: { LOG_LEVEL: 'debug' } })
 * app('api', { image: server, envFrom: [settings], env: { LEVEL: settings.at('LOG_LEVEL') }, volumes: { '/etc/api': settings } })
 */
export const config = (name: string, options: ConfigOptions): Config => make('config', name, options, config)

/**
 * Values that are secret, from the same, a command, or a Secret of another namespace: a Secret of the cluster. They are never on this
 * machine's disk, in a log or in the status. `generated` makes a value instead of taking one from somewhere.
 *
 * @param name lower-case letters, digits and `-`: also the name of the Secret
 * @example
 * const creds = secret('creds', { command: 'sops -d secrets.enc.yaml', format: 'yaml', watch: 'secrets.enc.yaml' })
 * const shared = secret('shared', { from: { namespace: 'platform', name: 'mail', keys: ['SMTP_PASSWORD'] } })
 */
export const secret = (name: string, options: SecretOptions): Config => make('secret', name, options, secret)

function make(type: 'config' | 'secret', name: string, options: unknown, api: ApiFunction): Config {
  const at = (key: string): unknown => configText(made, type, name, key, at)
  const made: object = resource(type, name, undefined, options, api, { members: { at: { value: at } } })
  return made as Config
}
