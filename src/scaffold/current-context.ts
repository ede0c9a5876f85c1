// The contexts of the kubeconfig, and the current one, which the written Devloopfile allows.
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { parse } from 'yaml'

/**
 * @param env of the process: `KUBECONFIG` may name several files, of which the first that says a context counts
 * @returns undefined where no kubeconfig says one
 */
export function currentContext(env: Readonly<Record<string, string | undefined>>): string | undefined {
  return kubeconfigs(env)
    .map((config) => config['current-context'])
    .find((context) => typeof context === 'string' && context !== '') as string | undefined
}

/** The names of all contexts, those of the first file first. */
export const contextNames = (env: Readonly<Record<string, string | undefined>>): readonly string[] => [
  ...new Set(
    kubeconfigs(env)
      .flatMap(({ contexts }) => (Array.isArray(contexts) ? (contexts as ({ readonly name?: unknown } | null)[]) : []))
      .flatMap((context) => (typeof context?.name === 'string' ? [context.name] : [])),
  ),
]

/** What the files hold; one that cannot be read is the business of who connects. */
function kubeconfigs(env: Readonly<Record<string, string | undefined>>): readonly Readonly<Record<string, unknown>>[] {
  const files = env.KUBECONFIG
    ? env.KUBECONFIG.split(delimiter).filter((file) => file !== '')
    : [join(homedir(), '.kube', 'config')]
  return files.flatMap((file) => {
    try {
      const value = parse(readFileSync(file, 'utf8')) as Readonly<Record<string, unknown>> | null
      return value && typeof value === 'object' ? [value] : []
    } catch {
      return []
    }
  })
}

/** Names that sound like a cluster where nobody develops: such a context is not allowed without being asked for. */
export const soundsLikeProduction = (context: string): boolean => /(^|[^a-z])(prod|production|prd|live)([^a-z]|$)/i.test(context)
