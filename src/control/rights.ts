// Asks once what rights the plan needs and the user lacks, and warns of them; asks again while some are missing, since they may be granted.
import { isAbort, toErrorInfo } from '../errors/devloop-error.js'
import { rightsWarning } from '../model/missing-right.js'
import type { Plan } from '../model/plan.js'
import type { State } from '../model/state.js'
import type { RightsSubject } from '../ports/runtime.js'
import type { ControlContext, Controller } from './context.js'
import { createDrain } from './drain.js'
import { rightsSubjects } from './rights-subjects.js'

const subject = 'rights'

/** For rights that operators bind seconds after a namespace is made. Milliseconds. */
const patienceMs = 3000
/** Milliseconds until missing rights are looked at again. */
const againMs = 30_000

export function createRightsController(context: ControlContext): Controller {
  const { store, large, runtime, log, onDefect } = context
  const stopping = new AbortController()
  /** What was asked about last. */
  let asked: string | undefined
  let timer: NodeJS.Timeout | undefined

  const subjects = (plan: Plan, names: readonly string[]): readonly RightsSubject[] => {
    const basesOf = (image: string): readonly string[] => store.state().images[image]?.bases?.names ?? []
    return rightsSubjects(plan, names, basesOf, (name) => large.rendered.get(name))
  }

  const drain = createDrain(async () => {
    const open = runtime.current
    const state = store.state()
    if (stopping.signal.aborted || !state.plan) return
    if (!open?.missingRights) return
    const names = Object.keys(state.plan.resources).filter((name) => state.resources[name]?.disabled === null)
    const key = keyOf(state, names)
    if (key === asked) return
    asked = key
    clearTimeout(timer)
    const again = (): void => {
      clearTimeout(timer)
      timer = setTimeout(() => {
        asked = undefined
        drain.poke()
      }, againMs)
    }
    try {
      const missing = await open.missingRights(subjects(state.plan, names), stopping.signal, patienceMs)
      if (runtime.current !== open) return
      const warning = rightsWarning(missing)
      const told = store.state().warnings[subject]
      if (warning?.why !== told?.why) {
        store.dispatch({ type: 'warning', subject, error: warning ?? null })
        if (!warning) log({ resource: '', source: 'cluster', level: 'info', text: 'no right in the cluster is missing any more' })
      }
      if (warning) again()
    } catch (thrown) {
      if (isAbort(thrown)) return
      if (toErrorInfo(thrown).code === 'defect') return onDefect(thrown)
      // whatever is wrong with the cluster is told by what needs it
      again()
    }
  }, onDefect)

  const unsubscribe = store.subscribe(drain.poke)
  return {
    async stop() {
      unsubscribe()
      clearTimeout(timer)
      stopping.abort()
      await drain.stop()
    },
  }
}

/** Changes when another connection, another plan, or other objects are to be asked about. Cheap: looked at after each action. */
function keyOf({ runtime, devloopfile, resources }: State, names: readonly string[]): string {
  let key = `${runtime.generation} ${devloopfile.generation}`
  for (const name of names) key += ` ${name} ${resources[name]?.rendered?.output ?? ''}`
  return key
}
