// One resource in two ways: from source, or as others release it.
import { called, insideOf, UsageError } from './values.js'
import { session } from './session.js'
import type { EitherOptions, Resource } from './types.js'

/**
 * A resource that is made in one of two ways: `local`, from source, or `remote`, as it is released (an image, a chart). Which one is said
 * on the command line, such as `devloop watch --local api`, and can be changed while devloop runs (`devloop args --local api`). Both have the
 * same name, so that nobody who uses its address notices.
 *
 * @param name name of the resource
 * @example
 * const api = either('api', {
 *   local: () => app('api', { image: server, port: 8080 }),
 *   remote: () => app('api', { image: 'registry.example.com/shop/api:1.4', port: 8080 }),
 * })
 */
export function either<L extends Resource, R extends Resource>(name: string, options: EitherOptions<L, R>): L | R {
  const refuse = (message: string, help: string): never => {
    throw new UsageError(`${called('either', name)}: ${message}`, help, either)
  }
  if (typeof name !== 'string' || name === '') refuse('the name must be a string.', 'Give the name of the resource.')
  const given: Readonly<Record<string, unknown>> = { ...(options as unknown as object) }
  for (const key of Object.keys(given))
    if (!['local', 'remote', 'default'].includes(key))
      refuse(`there is no option \`${key}\`.`, 'Options: local, remote and default.')
  for (const key of ['local', 'remote'])
    if (typeof given[key] !== 'function')
      refuse(`\`${key}\` must be a function that makes the resource.`, `For instance ${key}: () => app('${name}', { ... }).`)
  if (given.default !== undefined && given.default !== 'local' && given.default !== 'remote')
    refuse("`default` must be 'local' or 'remote'.", "Leave it out for 'remote'.")
  const choice = session().choose(name, options.default ?? 'remote')
  const made = options[choice]()
  const inside = insideOf(made)
  if (inside?.kind !== 'resource')
    return refuse(`\`${choice}\` gave no resource.`, 'Return what app, helm, manifests or the like gave.')
  if (inside.name !== name)
    refuse(
      `\`${choice}\` gave ${called(inside.service ?? inside.type, inside.name)}, which has another name.`,
      `Name it '${name}' in both ways: its address stays the same then.`,
    )
  return made
}
