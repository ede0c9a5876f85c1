// The kubeconfig's current context, which the written Devloopfile allows.
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { parse } from 'yaml'

/**
 * @param env of the process: `KUBECONFIG` may name several files, of which the first that says a context counts
 * @returns undefined where no kubeconfig says one
 */
export function currentContext(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const files = env.KUBECONFIG
    ? env.KUBECONFIG.split(delimiter).filter((file) => file !== '')
    : [join(homedir(), '.kube', 'config')]
  for (const file of files) {
    try {
      const value = (parse(readFileSync(file, 'utf8')) as { 'current-context'?: unknown } | null)?.['current-context']
      if (typeof value === 'string' && value !== '') return value
    } catch {
      // one that cannot be read is the business of who connects
    }
  }
  return undefined
}

/** Names that sound like a cluster where nobody develops: such a context is not allowed without being asked for. */
export const soundsLikeProduction = (context: string): boolean => /(^|[^a-z])(prod|production|prd|live)([^a-z]|$)/i.test(context)
