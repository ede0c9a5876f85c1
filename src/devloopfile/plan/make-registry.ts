// The registry of a project, and how nodes log in to it.
import type { PullSecretSettings, RegistrySettings } from '../../model/plan.js'
import type { RegistryOptions } from '../api/types.js'
import type { Encoded } from '../declaration.js'
import { boolean, options, record, string, strings, wrong, type Subject } from './fields.js'

const known: Record<keyof RegistryOptions, true> = { push: true, pull: true, singleName: true, fallback: true }

const place = /^[A-Za-z0-9.-]+(?::\d{1,5})?(?:\/[a-z0-9._-]+)*$/
const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*'
const repository = new RegExp(`^${component}(?:/${component})*$`)
const secretName = /^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$/

export function makeRegistry(subject: Subject, value: Encoded): RegistrySettings | undefined {
  if (value === undefined) return undefined
  if (!record(value)) {
    if (typeof value !== 'string')
      return wrong(subject, 'cluster.registry', 'host[:port][/path], or an object such as { push, pull }', value)
    const push = makePlace(subject, 'cluster.registry', value)
    return push === undefined ? undefined : { push, fallback: false }
  }
  const given = options(subject, 'cluster.registry', value, known)
  const push = makePlace(subject, 'cluster.registry.push', given.push, 'required')
  const pull = makePlace(subject, 'cluster.registry.pull', given.pull)
  const singleName = string(subject, 'cluster.registry.singleName', given.singleName)
  if (singleName !== undefined && !repository.test(singleName))
    wrong(subject, 'cluster.registry.singleName', "a repository without registry and tag, such as 'dev'", singleName)
  const fallback = boolean(subject, 'cluster.registry.fallback', given.fallback) ?? false
  if (push === undefined) return undefined
  return { push, ...(pull === undefined ? {} : { pull }), ...(singleName === undefined ? {} : { singleName }), fallback }
}

function makePlace(subject: Subject, path: string, value: Encoded, required?: 'required'): string | undefined {
  const given = string(subject, path, value, required)
  if (given === undefined || place.test(given)) return given
  const bare = given.replace(/^\w+:\/\//, '').replace(/\/+$/, '')
  return wrong(subject, path, 'host[:port][/path]', given, place.test(bare) ? `Use '${bare}'.` : undefined)
}

export function makePullSecret(subject: Subject, value: Encoded): PullSecretSettings | undefined {
  if (value === undefined || value === false) return undefined
  if (value === true) return { copy: true }
  if (typeof value !== 'string' && !Array.isArray(value))
    return wrong(subject, 'cluster.pullSecret', 'true, or the names of Secrets', value)
  const names = strings(subject, 'cluster.pullSecret', value)
  for (const name of names ?? []) {
    if (!secretName.test(name)) return wrong(subject, 'cluster.pullSecret', 'names of Secrets, such as `registry-login`', name)
  }
  return names && names.length > 0 ? { names } : undefined
}
