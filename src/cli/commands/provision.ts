// `devloop provision`: a namespace, or a place in a tenant, for a developer.
import { resolve } from 'node:path'
import { DevloopError } from '../../errors/devloop-error.js'
import { exitCodes } from '../exit.js'
import { devloopfileIfAny } from '../find-devloopfile.js'
import { onInterrupt } from '../interrupted.js'
import { printJson } from '../print-json.js'
import { harmless } from '../../client/status/harmless.js'

export interface ProvisionOptions {
  readonly file?: string
  readonly context?: string
  readonly namespace?: string
  readonly user: string
  readonly group?: readonly string[]
  readonly tenant?: string
  readonly quota?: string
  readonly dryRun?: boolean
  readonly output?: 'yaml'
  readonly kubeconfig?: string
  /** Milliseconds. */
  readonly lifetime: number
  readonly force?: boolean
  readonly json?: boolean
}

/** The least that a cluster gives. Milliseconds. */
const shortest = 600_000

export async function provision({ group = [], lifetime, ...options }: ProvisionOptions): Promise<number> {
  if (options.user.trim() === '')
    throw new DevloopError('usage', 'the name of the user is empty', { help: 'Name one with --user.' })
  if (lifetime < shortest)
    throw new DevloopError('usage', 'a token lasts ten minutes at least', { help: 'Give a longer --lifetime, such as 12h.' })
  if (options.output && options.kubeconfig !== undefined)
    throw new DevloopError('usage', 'with --output yaml nothing is made that a kubeconfig could be for', {
      help: 'Leave out --kubeconfig, or --output.',
    })
  const abort = new AbortController()
  const end = onInterrupt(() => abort.abort())
  try {
    const { provisionUser, provisionYaml } = await import('../../daemon/provision.js')
    const { kubeconfig, dryRun = false, force = false, json = false, ...rest } = options
    const given = {
      ...rest,
      file: devloopfileIfAny(options.file),
      groups: group,
      lifetimeMs: lifetime,
      dryRun,
      force,
      ...(kubeconfig === undefined ? {} : { kubeconfig: resolve(kubeconfig) }),
    }
    if (options.output) {
      process.stdout.write(await provisionYaml(given, abort.signal))
      return exitCodes.ok
    }
    const done = await provisionUser(given, (text) => void process.stderr.write(`devloop: ${harmless(text)}\n`), abort.signal)
    if (json) {
      printJson({ dryRun, ...done })
      return exitCodes.ok
    }
    for (const { name, outcome } of done.objects) say(`${words[dryRun ? 'dry' : 'done'][outcome]} ${name}`)
    if (done.namespace !== undefined) say(`the namespace of ${options.user} in ${done.context} is ${done.namespace}`)
    else if (!dryRun) say(`the operator has not said yet which namespace ${options.user} gets; \`devloop watch\` finds it`)
    if (done.kubeconfig)
      say(`wrote ${done.kubeconfig.file}: it lasts until ${done.kubeconfig.expires}, and is renewed while devloop runs with it`)
    else if (kubeconfig !== undefined) say(`would write ${kubeconfig}`)
    return exitCodes.ok
  } catch (thrown) {
    if (abort.signal.aborted) return exitCodes.interrupted
    throw thrown
  } finally {
    end()
  }
}

const words = {
  done: { created: 'created', changed: 'changed', unchanged: 'unchanged', kept: 'kept', deleted: 'deleted' },
  dry: {
    created: 'would create',
    changed: 'would change',
    unchanged: 'would leave',
    kept: 'would keep',
    deleted: 'would delete',
  },
} as const

const say = (text: string): void => void process.stdout.write(`${harmless(text)}\n`)
