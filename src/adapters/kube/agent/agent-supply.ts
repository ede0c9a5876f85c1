// The agent's image: made of the program that came with devloop, and brought to where pods pull it, once for each version and place.
import { join } from 'node:path'
import { isAbort, isDevloopError, toErrorInfo } from '../../../errors/devloop-error.js'
import { agentImageName } from '../../../model/agent-image.js'
import { imageLabel, instanceLabel } from '../../../model/image-labels.js'
import { familiarName, namesIn } from '../../../model/image-names.js'
import { makeProgramImage, type ProgramImage } from '../../../model/program-image.js'
import type { AgentProgram } from '../../../ports/agent-program.js'
import type { ImageBuilder, Registry } from '../../../ports/image-builder.js'
import type { RuntimeOptions } from '../../../ports/runtime.js'
import { readNoteFile, writeNoteFile } from './note-file.js'
import { agentFile, agentUser, type AgentImage, type NoAgent } from './put-agent.js'

/** Gives the agent for containers of a platform, or says why there is none; never fails for reasons of operation. */
export type AgentSource = (platform: string | undefined) => Promise<AgentImage | NoAgent>

export interface AgentSupplyOptions {
  readonly program: AgentProgram
  readonly registry: Registry | undefined
  /** Of the nodes, for images of which it is not known. */
  readonly platform: string | undefined
  /** Address of the API server. */
  readonly server: string
  readonly options: Pick<RuntimeOptions, 'instance' | 'stateDir' | 'onMade'>
  readonly builder: Pick<ImageBuilder, 'provide'>
  /** For what is worth a line in the log. */
  readonly log: (message: string) => void
  /** Ends all that goes on. */
  readonly life: AbortSignal
  /** Milliseconds that a deploy waits for the image at most; default 30,000. */
  readonly patienceMs?: number
}

/** Where it was told to be pushed already is in this file of the state folder. */
const noteName = 'agent.json'
/** After a failure, the next deploys do not wait for the same again. Milliseconds. */
const restMs = 30_000

/** The image as it would be, with nothing pushed. @returns undefined where there is no program for the platform */
export function agentImages(
  program: AgentProgram,
  instance: string,
): (platform: string | undefined) => Promise<(ProgramImage & { readonly version: string }) | NoAgent> {
  const made = new Map<string, Promise<(ProgramImage & { readonly version: string }) | NoAgent>>()
  const make = async (platform: string): Promise<(ProgramImage & { readonly version: string }) | NoAgent> => {
    const version = await program.version()
    if (version === undefined) return { why: 'this devloop came without the agent' }
    const bytes = await program.read(platform)
    if (!bytes) return { why: `there is no agent for ${platform}` }
    const labels = { [imageLabel]: agentImageName, [instanceLabel]: instance }
    const input = { name: agentImageName, version, platform, program: bytes, file: agentFile, user: agentUser, labels }
    return { ...makeProgramImage(input), version }
  }
  return async (platform) => {
    if (platform === undefined) return { why: 'it is not known which nodes its image is for' }
    // variants of a platform run what is made for it
    const plain = platform.split('/').slice(0, 2).join('/')
    const known = made.get(plain) ?? make(plain)
    made.set(plain, known)
    return known
  }
}

/** The reference by which nodes pull an image of devloop's own. */
export function pulledAs({ name, tag }: Pick<ProgramImage, 'name' | 'tag'>, registry: Registry | undefined): string {
  const pulled = registry ? namesIn(registry, name, tag).pull : { repository: familiarName(name), tag }
  return `${pulled.repository}:${pulled.tag}`
}

/** Nothing is read or pushed before somebody asks. */
export function createAgentSupply(supply: AgentSupplyOptions): AgentSource {
  const { registry, server, options, builder, log, life, patienceMs = 30_000 } = supply
  const imageOf = agentImages(supply.program, options.instance)
  const file = join(options.stateDir, noteName)
  const found = new Map<string, Promise<AgentImage | NoAgent>>()

  const provide = async (image: ProgramImage, signal: AbortSignal): Promise<string> => {
    if (!builder.provide) throw new Error('a builder that provides no images was asked for the agent')
    const made = (one: Parameters<NonNullable<Parameters<NonNullable<ImageBuilder['provide']>>[2]['made']>>[0]) =>
      options.onMade?.({ ...one, image: image.name, cluster: server, at: Date.now() }) ?? Promise.resolve()
    return builder.provide(image, registry, { made, log: () => {} }, signal)
  }

  const get = async (image: ProgramImage & { readonly version: string }): Promise<AgentImage | NoAgent> => {
    const place = [server, registry?.push ?? '', image.id].join(' ')
    const noted = await readNote(file)
    if (noted.includes(place)) {
      // it may have been removed there; pods that run, and templates, stay as they are meanwhile
      void provide(image, life).catch((thrown: unknown) => void (life.aborted || log(whyNot(thrown))))
      return { ref: pulledAs(image, registry), version: image.version }
    }
    const limit = AbortSignal.timeout(patienceMs)
    try {
      const ref = await provide(image, AbortSignal.any([life, limit]))
      await writeNoteFile(file, { provided: [...noted.filter((one) => one !== place).slice(-9), place] })
      return { ref, version: image.version }
    } catch (thrown) {
      if (life.aborted) return { why: 'devloop is stopping' }
      const why = limit.aborted ? `its image was not pushed within ${patienceMs / 1000} s` : whyNot(thrown)
      log(`no agent is put into pods: ${why}`)
      return { why }
    }
  }

  return async (platform) => {
    const image = await imageOf(platform ?? supply.platform)
    if ('why' in image) return image
    const known = found.get(image.tag)
    if (known) return known
    const asked = get(image)
    found.set(image.tag, asked)
    const answer = await asked
    if ('why' in answer) setTimeout(() => found.delete(image.tag), restMs).unref()
    return answer
  }
}

function whyNot(thrown: unknown): string {
  if (!isDevloopError(thrown) && !isAbort(thrown)) throw thrown
  const { message, why } = toErrorInfo(thrown)
  return `its image could not be brought to the nodes: ${message}${why === undefined ? '' : ` (${why.split('\n')[0]})`}`
}

async function readNote(file: string): Promise<readonly string[]> {
  const { provided } = ((await readNoteFile(file)) ?? {}) as { provided?: unknown }
  return Array.isArray(provided) ? provided.filter((one) => typeof one === 'string') : []
}
