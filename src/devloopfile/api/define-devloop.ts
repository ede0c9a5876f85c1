// The one function that a Devloopfile must call.
import { callPosition } from './session.js'
import { snapshot } from './snapshot.js'
import type { Context, Devloopfile, Project } from './types.js'
import { makeValue } from './values.js'

/**
 * Declare a project. The result must be the default export of the Devloopfile.
 *
 * The function runs in a worker thread and has ten seconds. It may be async, read `process.env`, and read files with `readFile`,
 * `readYaml` and `readJson`, which are watched from then on.
 *
 * @example
 * export default defineDevloop(({ user }) => ({
 *   name: 'shop',
 *   cluster: { contexts: ['kind-*'], namespace: `dev-${user}` },
 *   resources: [app('db', { image: 'postgres:16', port: 5432 })],
 * }))
 */
export function defineDevloop(project: Project | ((context: Context) => Project | Promise<Project>)): Devloopfile {
  const body = typeof project === 'function' ? project : snapshot(project)
  const at = callPosition(defineDevloop)
  return makeValue({ kind: 'devloopfile', body, at }, {}, 'the Devloopfile', 'Export it as the default.')
}
