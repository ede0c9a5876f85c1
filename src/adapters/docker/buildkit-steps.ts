// Turns BuildKit's trace into build steps, and remembers what is needed to explain a failure.
import type { BuildProgress, BuildStep } from '../../ports/image-builder.js'
import { createOutputTail, type OutputTail } from './output-tail.js'
import type { Trace, Vertex } from './trace.js'

/** The step that made a build fail. */
export interface FailedStep {
  /** Such as `[2/4] RUN npm ci`. */
  readonly name: string
  /** The engine's words. */
  readonly error: string
  /** The end of the step's output. */
  readonly output: string
}

export interface BuildkitSteps {
  push(trace: Trace): void
  /** No more traces come: hand over what is left of output. */
  end(): void
  /** The step that failed first by itself, if any. */
  failed(): FailedStep | undefined
}

interface Known {
  readonly vertex: Vertex
  readonly output: OutputTail
  readonly shown: BuildStep['state'] | undefined
}

/** @param mask hides secrets in output */
export function createBuildkitSteps(progress: BuildProgress, mask: (text: string) => string = (text) => text): BuildkitSteps {
  const known = new Map<string, Known>()
  let building = false
  const outputOf = (digest: string): OutputTail =>
    known.get(digest)?.output ?? createOutputTail((line) => progress.log(line), mask)
  const show = (vertex: Vertex, state: BuildStep['state'], output: OutputTail): void => {
    const tail = state === 'running' || state === 'failed' ? output.last() : []
    progress.step({
      id: vertex.digest,
      name: displayName(vertex.name),
      state,
      ...(vertex.started === undefined ? {} : { startedAt: vertex.started }),
      ...(vertex.completed === undefined ? {} : { finishedAt: vertex.completed }),
      ...(tail.length === 0 ? {} : { tail }),
    })
  }
  const remember = (vertex: Vertex): void => {
    const earlier = known.get(vertex.digest)
    const output = outputOf(vertex.digest)
    const state = stateOf(vertex)
    if (vertex.completed !== undefined) output.flush()
    if (state && !isPreparation(vertex, state) && state !== earlier?.shown) {
      if (!building && !vertex.name.startsWith('[internal]')) {
        building = true
        progress.stage('build')
      }
      show(vertex, state, output)
    }
    known.set(vertex.digest, { vertex, output, shown: state ?? earlier?.shown })
  }
  return {
    push(trace) {
      // output first: a record that ends a step may bring its last lines
      for (const log of trace.logs) {
        const entry = known.get(log.vertex) ?? {
          vertex: { digest: log.vertex, name: '', cached: false, error: '' },
          output: outputOf(log.vertex),
          shown: undefined,
        }
        known.set(log.vertex, entry)
        const lines = entry.output.push(log.message)
        if (lines && entry.shown === 'running') show(entry.vertex, 'running', entry.output)
      }
      for (const vertex of trace.vertexes) remember(vertex)
    },
    end() {
      for (const { output } of known.values()) output.flush()
    },
    failed() {
      const failed = [...known.values()].filter(({ vertex }) => vertex.error !== '' && !isCancelled(vertex.error))
      failed.sort((a, b) => (a.vertex.completed ?? Infinity) - (b.vertex.completed ?? Infinity))
      const first = failed[0]
      return first && { name: displayName(first.vertex.name), error: first.vertex.error, output: first.output.tail() }
    },
  }
}

const stateOf = (vertex: Vertex): BuildStep['state'] | undefined => {
  if (vertex.error !== '') return 'failed'
  if (vertex.cached) return 'cached'
  if (vertex.completed !== undefined) return 'done'
  return vertex.started === undefined ? undefined : 'running'
}

// steps that every build has and that say nothing, unless they fail
const isPreparation = (vertex: Vertex, state: BuildStep['state']): boolean =>
  state !== 'failed' && /^\[internal\] (?!load metadata)/.test(vertex.name)

// numbers are padded to a column: `[ 2/10]`
const displayName = (name: string): string =>
  name.replace(/^\[([^\]]*)\]/, (_, label: string) => `[${label.replace(/\s+/g, ' ').trim()}]`)

/** Whether an error only says that another step's failure, or an abort, ended this one. */
const isCancelled = (error: string): boolean => /context cancell?ed|code = Canceled/i.test(error)
