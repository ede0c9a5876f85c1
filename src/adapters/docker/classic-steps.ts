// Turns the classic builder's output into build steps, and remembers what is needed to explain a failure.
import type { BuildProgress } from '../../ports/image-builder.js'
import type { FailedStep } from './buildkit-steps.js'
import { createOutputTail } from './output-tail.js'

export interface ClassicSteps {
  /** A piece of the builder's text. */
  push(text: string): void
  /** The build is over: the last step has ended well, or failed with the engine's words. */
  end(error: string | undefined): void
  /** Number of the step that failed (of all instructions, from 1), if any step had begun. */
  failed(): (FailedStep & { readonly number: number }) | undefined
}

interface Running {
  readonly number: number
  readonly name: string
  readonly startedAt: number
  cached: boolean
  readonly output: string[]
}

const kept = 30
/** Lines that are shown with a step. */
const shownLines = 5

/** @param mask hides secrets in output */
export function createClassicSteps(progress: BuildProgress, mask: (text: string) => string = (text) => text): ClassicSteps {
  let current: Running | undefined
  let failure: (FailedStep & { readonly number: number }) | undefined
  const report = (state: 'running' | 'done' | 'cached' | 'failed'): void => {
    if (!current) return
    const tail = state === 'running' || state === 'failed' ? current.output.slice(-shownLines) : []
    progress.step({
      id: `step ${current.number}`,
      name: current.name,
      state,
      startedAt: current.startedAt,
      ...(state === 'running' ? {} : { finishedAt: Date.now() }),
      ...(tail.length === 0 ? {} : { tail }),
    })
  }
  const lines = createOutputTail((line) => {
    // Docker's words, or Podman's
    const step = /^(?:Step (?=.* : )|STEP )(\d+)\/(\d+)(?: :|:) (.*)$/.exec(line)
    if (step) {
      if (!current) progress.stage('build')
      report(current?.cached ? 'cached' : 'done')
      const number = Number(step[1])
      current = {
        number,
        name: `[${number}/${step[2] ?? ''}] ${step[3] ?? ''}`,
        startedAt: Date.now(),
        cached: false,
        output: [],
      }
      report('running')
    } else if (current && /^(?: --->|-->) Using cache/.test(line)) {
      current.cached = true
    } else if (
      !/^ ---> |^--> |^COMMIT\b|^[0-9a-f]{64}$|^Removing intermediate container |^Successfully (built|tagged) |^\s*$/.test(line)
    ) {
      current?.output.push(line)
      if (current && current.output.length > kept) current.output.shift()
      progress.log(line)
      report('running')
    }
  }, mask)
  return {
    // the engine itself colours what a step writes to stderr
    push: (text) => lines.push(text.replaceAll('\u001b[91m', '').replaceAll('\u001b[0m', '')),
    end(error) {
      lines.flush()
      if (error === undefined) report(current?.cached ? 'cached' : 'done')
      else {
        report('failed')
        if (current)
          failure = { name: current.name, number: current.number, error, output: current.output.join('\n').slice(-4000) }
      }
    },
    failed: () => failure,
  }
}
