// Compares all targets with what they must hold, and says what differs in words.
import type { ControlContext } from '../control/context.js'
import { DevloopError, toErrorInfo } from '../errors/devloop-error.js'
import type { Wanted } from '../model/tree.js'
import type { VerifiedTarget, VerifyResult } from '../protocol/messages.js'
import type { RequestOrigin } from '../server/request-handlers.js'
import { isSyncHeld } from '../store/graph-status.js'

/** How many differences of a target are told. */
const most = 1_000

/**
 * @param resources names; undefined = all
 * @throws the signal's reason; what a container is doing by then comes to its own end
 */
export async function verifyTargets(
  { store, verifiers }: ControlContext,
  resources: readonly string[] | undefined,
  { signal, progress }: Pick<RequestOrigin, 'signal' | 'progress'>,
): Promise<VerifyResult> {
  const state = store.state()
  const chosen = Object.values(state.targets).filter(({ resource }) => !resources || resources.includes(resource))
  let done = 0
  const tell = (message: string): void => progress(message, { done, total: chosen.length })
  tell(`comparing ${chosen.length === 1 ? '1 container' : `${chosen.length} containers`}`)
  const all = Promise.all(
    chosen.map(async (target): Promise<VerifiedTarget> => {
      const { resource, pod, container, image } = target
      const named = { resource, pod, container, image, held: isSyncHeld(state, target) }
      try {
        const verify = verifiers.get(target.id)
        if (!verify) throw new DevloopError('request/refused', 'the container is gone')
        const { checked, differences, unknown } = await verify()
        const told = differences.slice(0, most).map(({ path, wanted, found }) => inWords(path, wanted, found))
        return { ...named, checked, differences: told, differing: differences.length, unknown: unknown.length }
      } catch (thrown) {
        return { ...named, checked: 0, differences: [], differing: 0, unknown: 0, error: toErrorInfo(thrown) }
      } finally {
        done++
        tell(`${resource}: ${pod}/${container}`)
      }
    }),
  )
  const verified = await unlessAborted(all, signal)
  return { targets: verified.sort((a, b) => (a.resource + a.pod < b.resource + b.pod ? -1 : 1)) }
}

/** The promise; or the signal's reason, without waiting any longer. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error)
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    void promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

/** Only what is not the same on both sides is of interest. */
function inWords(path: string, wanted: Wanted, found: Wanted): { path: string; wanted: string; found: string } {
  if (wanted.kind === 'file' && found.kind === 'file' && wanted.hash === found.hash)
    return { path, wanted: `mode ${octal(wanted.mode)}`, found: `mode ${octal(found.mode)}` }
  return { path, wanted: describe(wanted), found: describe(found) }
}

const octal = (mode: number): string => mode.toString(8).padStart(3, '0')

function describe(one: Wanted): string {
  if (one.kind === 'absent') return 'nothing'
  if (one.kind === 'link') return `a link to ${one.target}`
  return `a file of ${one.size} bytes, mode ${octal(one.mode)}, sha256 ${one.hash.slice(0, 12)}`
}
