// Observes what devloop did not label: for each such resource watches of their own, which hand its objects on as if it had.
import type { Observed, ObservedEvent, RuntimeOptions } from '../../ports/runtime.js'
import type { KubeConnection } from './connection.js'
import { createObserver, type Adopted, type ExpectedObject } from './observe.js'

export interface AdoptedObjects {
  readonly objects: readonly ExpectedObject[]
  readonly adopt: Adopted
  /** Ids of the newest templates, as `adopt` gives them. */
  readonly templates: readonly string[]
  /** Says more of what is told. */
  readonly amend?: (observed: Observed) => Observed
}

export interface AdoptedWatches {
  /** Observe these objects, instead of those of the resource that were observed before. Resolves when their first state was told. */
  watch(resource: string, adopted: AdoptedObjects): Promise<void>
  stop(resource: string): void
  /** Tell about what is watched from now on. */
  observe(onObserved: (observed: Observed) => void, onEvent: (event: ObservedEvent) => void): void
}

/** How long the first state is waited for. Milliseconds. */
const firstTellMs = 10_000

/** @param life ends all watches */
export function createAdoptedWatches(connection: KubeConnection, options: RuntimeOptions, life: AbortSignal): AdoptedWatches {
  const watching = new Map<string, AbortController>()
  let tell: (observed: Observed) => void = () => {}
  let tellEvent: (event: ObservedEvent) => void = () => {}
  return {
    async watch(resource, { objects, adopt, templates, amend = (observed) => observed }) {
      watching.get(resource)?.abort()
      const ended = new AbortController()
      watching.set(resource, ended)
      const signal = AbortSignal.any([ended.signal, life])
      const observer = createObserver(connection, options, signal, undefined, adopt)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, firstTellMs)
        signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true })
        observer.start(
          (observed) => {
            if (signal.aborted || observed.resource !== resource) return
            tell(amend(observed))
            clearTimeout(timer)
            resolve()
          },
          // the connection is the same as that of all else, which tells of its loss
          () => {},
          (event) => tellEvent(event),
        )
        observer.deploying(resource, objects)
        observer.deployed(resource, templates)
      })
    },
    stop(resource) {
      watching.get(resource)?.abort()
      watching.delete(resource)
    },
    observe(onObserved, onEvent) {
      tell = onObserved
      tellEvent = onEvent
    },
  }
}
