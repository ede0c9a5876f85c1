// Which images of the project a Dockerfile is built on, by the names in its FROM and --from. Pure.
import { parseDockerfile } from './dockerfile.js'

interface Named {
  readonly image: string
  /** The reference as it is written, variables included. */
  readonly written: string
  /** First line of the instruction, from 1. */
  readonly line: number
}

export interface BasesQuestion {
  /** The Dockerfile's text. */
  readonly text: string
  /** Build arguments that replace the defaults of `ARG`. */
  readonly args: Readonly<Record<string, string>>
  /** Names of the images that may be meant; undefined = any. */
  readonly images?: ReadonlySet<string>
}

/** Names of the images that a Dockerfile names, each once. What has a registry, a digest or a tag of its own is none of them. */
export const dockerfileBases = (question: BasesQuestion): readonly string[] => [
  ...new Set(namedImages(question).map(({ image }) => image)),
]

/** The Dockerfile with the names of images replaced by these references. Lines stay where they are. */
export function withReferences(
  text: string,
  args: Readonly<Record<string, string>>,
  references: Readonly<Record<string, string>>,
): string {
  const named = namedImages({ text, args, images: new Set(Object.keys(references)) })
  if (named.length === 0) return text
  const lines = text.split('\n')
  for (const { image, written, line } of named) {
    for (let at = line - 1; at < lines.length; at++) {
      const here = lines[at] as string
      const place = placeOf(here, written)
      if (place < 0) continue
      lines[at] = here.slice(0, place) + (references[image] as string) + here.slice(place + written.length)
      break
    }
  }
  return lines.join('\n')
}

// as a whole word: `base` is also a part of `database`
function placeOf(line: string, written: string): number {
  for (let at = line.indexOf(written); at >= 0; at = line.indexOf(written, at + 1)) {
    const before = at === 0 ? '' : (line[at - 1] as string)
    const after = line[at + written.length] ?? ''
    if (/^[\s=]?$/.test(before) && /^[\s,]?$/.test(after)) return at
  }
  return -1
}

function namedImages({ text, args, images }: BasesQuestion): Named[] {
  const found: Named[] = []
  const globals = new Map<string, string>()
  const stages = new Set<string>()
  const add = (written: string, line: number): void => {
    const image = imageOf(expand(written, globals), images)
    if (image !== undefined && !stages.has(expand(written, globals).toLowerCase())) found.push({ image, written, line })
  }
  for (const { keyword, rest, line, stage, stageName } of parseDockerfile(text)) {
    if (keyword === 'ARG' && stage < 0) {
      for (const [, name = '', , quoted, plain] of rest.matchAll(/([A-Za-z_]\w*)(=(?:"([^"]*)"|(\S*)))?/g))
        globals.set(name, args[name] ?? quoted ?? plain ?? '')
    } else if (keyword === 'FROM') {
      add(rest.replace(/^(--\S+\s+)+/, '').split(/\s+/)[0] ?? '', line)
      if (stageName) stages.add(stageName.toLowerCase())
    } else if (keyword === 'COPY' || keyword === 'ADD' || keyword === 'RUN') {
      for (const [, from] of flagsOf(rest).matchAll(/(?:^|[\s,])(?:--)?from=([^\s,]+)/g)) add(from as string, line)
    }
  }
  return found
}

// only what stands before the first word that is no flag: a command may hold anything
const flagsOf = (rest: string): string => /^(?:--\S+\s*)*/.exec(rest)?.[0] ?? ''

const expand = (text: string, variables: ReadonlyMap<string, string>): string =>
  text.replaceAll(
    /\$(?:\{([A-Za-z_]\w*)(?::-([^}]*))?\}|([A-Za-z_]\w*))/g,
    (_, braced?: string, fallback?: string, bare?: string) => {
      return variables.get(braced ?? bare ?? '') || (fallback ?? '')
    },
  )

/** What says which release it wants is not what is built here. */
const imageOf = (reference: string, images: ReadonlySet<string> | undefined): string | undefined => {
  const name = reference.replace(/:latest$/, '')
  if (images) return images.has(name) ? name : undefined
  return /^[a-z0-9][a-z0-9._/-]*$/.test(name) && name !== 'scratch' ? name : undefined
}
