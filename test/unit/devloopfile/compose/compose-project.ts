// A Devloopfile that lists the services of a Compose file, for tests.
import { project, showError, type Project } from '../project.js'

/** @param files beside the Devloopfile; @param call arguments of `compose` */
export function composeProject(files: Readonly<Record<string, string>>, call = `'compose.yaml'`): Project {
  return project({
    'Devloopfile.ts': `import { compose, defineDevloop, restart, run, sync } from 'devloop'
export default defineDevloop({ name: 'shop', resources: [...compose(${call})] })
`,
    ...files,
  })
}

/** The errors of a Compose file. */
export const errorsOf = (yaml: string, call?: string, files: Readonly<Record<string, string>> = {}): Promise<string> =>
  composeProject({ 'compose.yaml': yaml, ...files }, call).errors()

/** A file with one service that has these settings. */
export const service = (yaml: string): string => `services:\n  web:\n    image: a\n${yaml.replaceAll(/^/gm, '    ')}\n`

/** What is told of the first service that runs all the same. */
export async function warningsOf(yaml: string, files: Readonly<Record<string, string>> = {}): Promise<string> {
  const one = composeProject({ 'compose.yaml': yaml, ...files })
  const [first] = Object.values((await one.plan()).resources)
  return (first?.warnings ?? []).map((warning) => showError(warning, one.root)).join('\n\n')
}
