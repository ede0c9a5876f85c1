// The secrets that this machine holds for devloop: of kubeconfigs, of registries' logins, of the environment. Read to be taken out of reports.
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { parse } from 'yaml'
import { isSecretName } from './redact.js'

type Environment = Readonly<Record<string, string | undefined>>

/** By what they are called in their place. */
export type KnownSecrets = Readonly<Record<string, string>>

/** Fields of a kubeconfig's user, and of an auths entry. */
const secretFields =
  /^(?:token|password|client-key-data|auth|identitytoken|registrytoken|(?:id|refresh|access)-token|client-secret)$/i
const fileFields = new Set(['tokenFile', 'client-key'])
const most = 1_000_000

/** What cannot be read holds nothing. */
export async function knownSecrets(env: Environment): Promise<KnownSecrets> {
  const home = env['HOME'] || homedir()
  const kubeconfigs = env['KUBECONFIG']?.split(delimiter).filter(Boolean) ?? [join(home, '.kube', 'config')]
  const logins = [
    join(env['DOCKER_CONFIG'] || join(home, '.docker'), 'config.json'),
    env['REGISTRY_AUTH_FILE'],
    env['XDG_RUNTIME_DIR'] && join(env['XDG_RUNTIME_DIR'], 'containers', 'auth.json'),
    join(env['XDG_CONFIG_HOME'] || join(home, '.config'), 'containers', 'auth.json'),
  ]
  const found = new Map<string, string>()
  const add = (name: string, value: string): void => {
    for (const [form, text] of formsOf(name, value)) if (!found.has(form)) found.set(form, text)
  }
  for (const file of kubeconfigs) await collect(await contentOf(file), file, 'kubeconfig', add)
  for (const file of logins) if (file) await collect(await contentOf(file), file, 'registry', add)
  for (const [name, value] of Object.entries(env)) if (value && isSecretName(name)) add(name, value)
  return Object.fromEntries(found)
}

/** A secret in the forms in which it travels, each with a name of its own; base64 is the mask's. */
export function formsOf(name: string, value: string): readonly (readonly [string, string])[] {
  const forms = [value, encodeURIComponent(value), JSON.stringify(value).slice(1, -1)]
  return [...new Set(forms)].map((form, index) => [index === 0 ? name : `${name} (form ${index})`, form])
}

async function contentOf(file: string): Promise<unknown> {
  try {
    const text = await readFile(file, 'utf8')
    return text.length > most ? undefined : (parse(text) as unknown)
  } catch {
    return undefined
  }
}

async function collect(
  value: unknown,
  file: string,
  kind: string,
  add: (name: string, value: string) => void,
  path: readonly string[] = [],
): Promise<void> {
  if (typeof value !== 'object' || value === null) return
  for (const [key, item] of Object.entries(value)) {
    if (typeof item !== 'string') {
      await collect(item, file, kind, add, [...path, key])
      continue
    }
    const name =
      `${kind} ${[...path.filter((part) => !/^\d+$/.test(part)), key].join('.')} ${path.find((part) => /^\d+$/.test(part)) ?? ''}`.trim()
    if (fileFields.has(key)) {
      const text = await readFile(resolve(dirname(file), item), 'utf8').catch(() => '')
      if (text !== '' && text.length < most) add(name, text.trim())
    } else if (secretFields.test(key) || isExecValue(key, value)) {
      add(name, item)
      // a password travels in base64, with the user before it; a key's base64 is a PEM file's
      const plain = Buffer.from(item, 'base64').toString('utf8')
      if (key === 'client-key-data') add(`${name} decoded`, plain)
      if (key === 'auth' && plain.includes(':')) add(`${name} password`, plain.slice(plain.indexOf(':') + 1))
    }
  }
}

/** `{ name: AWS_SECRET_ACCESS_KEY, value: ... }` in the environment of an exec plugin. */
const isExecValue = (key: string, entry: object): boolean =>
  key === 'value' && 'name' in entry && typeof entry.name === 'string' && isSecretName(entry.name)
