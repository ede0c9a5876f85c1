// Explains a failed build: which instruction, on which line of the Dockerfile, and what was said.
import { DevloopError, type SourcePosition } from '../../errors/devloop-error.js'
import {
  instructionOfImage,
  instructionOfNumber,
  instructionOfStep,
  parseDockerfile,
  type Instruction,
} from '../../model/dockerfile.js'
import type { ImageSpec } from '../../model/plan.js'
import { registryHost } from './auth.js'
import type { FailedStep } from './buildkit-steps.js'
import { classifyRegistry, registryError } from './registry-errors.js'

export interface BuildFailure {
  readonly image: ImageSpec
  /** Text of the Dockerfile. */
  readonly dockerfile: string
  /** The engine's words for the build as a whole. */
  readonly text: string
  /** The step at fault, when one is known; with its number among all instructions from the classic builder. */
  readonly step?: (FailedStep & { readonly number?: number }) | undefined
}

/** The error for a build that the engine gave up. */
export function buildError({ image, dockerfile, text, step }: BuildFailure): DevloopError {
  const instructions = parseDockerfile(dockerfile)
  const at = (line: number | undefined): SourcePosition | undefined => positionIn(image, line)
  const inline = (line: number | undefined): string =>
    line !== undefined && 'inline' in image.dockerfile ? ` (line ${line} of the inline Dockerfile)` : ''

  const syntax = /dockerfile parse error(?: on)? line (\d+):?\s*([^]*)$/i.exec(text)
  if (syntax) {
    const line = Number(syntax[1])
    return new DevloopError('build/failed', `The Dockerfile of image ${image.name} is not valid${inline(line)}.`, {
      why: syntax[2]?.trim() || text,
      where: at(line),
      help: 'Correct that line.',
    })
  }
  const reference = baseReference(step, text)
  if (reference !== undefined) {
    const words = step?.error || text
    const line = instructionOfImage(instructions, reference)?.line
    const trouble = classifyRegistry(words)
    if (trouble !== 'registry/refused' && !/not found|does not exist/i.test(words)) {
      return registryError({
        host: registryHost(reference),
        doing: `give the base image ${reference}`,
        text: words,
        where: at(line),
      })
    }
    return new DevloopError('build/failed', `The base image ${reference} of image ${image.name} cannot be had${inline(line)}.`, {
      why: words,
      where: at(line),
      help: 'Correct the image name, or log in to its registry with `docker login`.',
    })
  }
  const target = /target stage ["']?([^"'\s]+)["']? could not be found|failed to reach build target (\S+)/i.exec(text)
  if (target) {
    return new DevloopError(
      'build/failed',
      `The Dockerfile of image ${image.name} has no stage '${target[1] ?? target[2] ?? ''}'.`,
      {
        why: text,
        where: image.at,
        help: 'Correct `target`, or name the stage with AS.',
      },
    )
  }
  const unusable =
    /failed to parse stage name "([^"]+)"|no build stage in current context|base name \(([^)]*)\) should not be blank/i.exec(text)
  if (unusable && !step) {
    const line = (unusable[1] && instructionOfImage(instructions, unusable[1])?.line) || instructions[0]?.line || 1
    return new DevloopError('build/failed', `The Dockerfile of image ${image.name} is not valid${inline(line)}.`, {
      why: tidy(text),
      where: at(line),
      help: 'Begin it with FROM and the name of a base image.',
    })
  }
  const instruction = step && instructionFor(instructions, step)
  const exit = /(?:exit code: |returned a non-zero code: |while running runtime: exit status )(\d+)/.exec(step?.error || text)
  const shown = step ? step.name.replace(/^\[[^\]]*\]\s*/, '') : undefined
  const message = shown
    ? `\`${shorten(shown)}\` of image ${image.name} failed${exit ? ` with exit code ${exit[1] ?? ''}` : ''}${inline(instruction?.line)}.`
    : `Image ${image.name} could not be built.`
  const words = tidy(step?.error || text)
  const absent = /^(COPY|ADD)/i.test(shown ?? '') && /not found|no such file|file does not exist/i.test(words)
  return new DevloopError('build/failed', message, {
    why: step?.output ? `${step.output}\n${words}` : words,
    where: at(instruction?.line),
    help: absent
      ? `Paths are relative to the context ${image.context}; a file there may also be left out by .dockerignore.`
      : undefined,
  })
}

const instructionFor = (
  instructions: readonly Instruction[],
  step: FailedStep & { readonly number?: number },
): Instruction | undefined =>
  (step.number === undefined ? undefined : instructionOfNumber(instructions, step.number)) ??
  instructionOfStep(instructions, step.name) ??
  // a download of ADD is a step of its own, named by its address
  instructions.find(({ keyword, rest }) => keyword === 'ADD' && rest.includes(step.name))

// the image that a FROM, or a COPY --from, could not get
const baseReference = (step: (FailedStep & { readonly number?: number }) | undefined, text: string): string | undefined => {
  const metadata = /^\[internal\] load metadata for (\S+)$/.exec(step?.name ?? '')?.[1]
  if (metadata) return metadata
  const from = /^(?:\[[^\]]*\] )?FROM (?:--\S+ )*(\S+)/i.exec(step?.name ?? '')?.[1]
  if (from && from.toLowerCase() !== 'scratch') return from
  return step ? undefined : /^([\w./:@-]+): failed to resolve source metadata/.exec(text)?.[1]
}

const positionIn = (image: ImageSpec, line: number | undefined): SourcePosition | undefined => {
  if ('inline' in image.dockerfile) return image.at
  return line === undefined ? undefined : { file: image.dockerfile.path, line }
}

// the engine's nesting says nothing to a reader
const tidy = (text: string): string =>
  text.replace(
    /^(failed to solve( with frontend \S+)?: |failed to build LLB: |failed to create LLB definition: |rpc error: code = \w+ desc = )+/i,
    '',
  )

const shorten = (text: string): string => {
  const line = text.replace(/\s+/g, ' ')
  return line.length > 200 ? `${line.slice(0, 200)}…` : line
}
