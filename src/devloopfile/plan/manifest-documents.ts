// Parses manifest files: YAML as Kubernetes reads it (1.1), each object with its place.
import { readFile } from 'node:fs/promises'
import type * as Yaml from 'yaml'
import type * as YamlParser from '../yaml.js'
import type { ErrorCode } from '../../errors/codes.js'
import type { SourcePosition } from '../../errors/devloop-error.js'
import type { KubeObject, ManifestObject } from '../../model/plan.js'
import { deepFreeze } from './deep-freeze.js'
import type { Problem } from './problems.js'

export interface Documents {
  readonly objects: readonly ManifestObject[]
  readonly problems: readonly (Problem & { readonly code: ErrorCode })[]
}

/** Parsed files, kept from load to load: one whose text is the same is not parsed again. */
export interface ManifestCache {
  /** @throws the file system's error */
  read(file: string): Promise<Documents>
  /** Forget files that were not asked for since the last call. */
  sweep(): void
}

export function createManifestCache(): ManifestCache {
  const known = new Map<string, { text: string; documents: Documents }>()
  const asked = new Set<string>()
  return {
    async read(file) {
      asked.add(file)
      const text = await readFile(file, 'utf8')
      const cached = known.get(file)
      if (cached?.text === text) return cached.documents
      const documents = parseManifests(text, file, await import('../yaml.js'))
      known.set(file, { text, documents })
      return documents
    },
    sweep() {
      for (const file of known.keys()) if (!asked.has(file)) known.delete(file)
      asked.clear()
    },
  }
}

/** Types of YAML 1.1 that Kubernetes' own parser does not know. */
const foreign = new Set(['binary', 'omap', 'pairs', 'set', 'timestamp'].map((name) => `tag:yaml.org,2002:${name}`))

const kubernetesTags = (tags: Yaml.Tags): Yaml.Tags =>
  tags.flatMap((tag): Yaml.Tags => {
    if (typeof tag === 'string' || foreign.has(tag.tag) || ('format' in tag && tag.format === 'TIME')) return []
    // there, `y` and `n` alone are strings
    if (tag.tag === 'tag:yaml.org,2002:bool' && 'test' in tag) {
      const test = tag.test?.test('true') ? /^(?:[Yy]es|YES|[Tt]rue|TRUE|[Oo]n|ON)$/ : /^(?:[Nn]o|NO|[Ff]alse|FALSE|[Oo]ff|OFF)$/
      return [{ ...(tag as Yaml.ScalarTag), test }]
    }
    return [tag]
  })

export function parseManifests(text: string, file: string, yaml: typeof YamlParser): Documents {
  const lines = new yaml.LineCounter()
  const at = (offset: number): SourcePosition => {
    const { line, col } = lines.linePos(offset)
    return { file, line, column: col }
  }
  const documents = yaml.parseAllDocuments(text, {
    lineCounter: lines,
    prettyErrors: false,
    version: '1.1',
    customTags: (tags) => kubernetesTags(tags),
  })
  const objects: ManifestObject[] = []
  const problems: (Problem & { code: ErrorCode })[] = []
  const report = (message: string, offset: number, why?: string, help?: string): void =>
    void problems.push({ code: 'devloopfile/yaml', message, at: at(offset), why, help })

  const addObject = (value: unknown, node: Yaml.ParsedNode): void => {
    const offset = node.range[0]
    const lack = lackOf(value)
    const list = value as { kind?: unknown; items?: unknown } | null
    if (typeof list?.kind === 'string' && list.kind.endsWith('List') && Array.isArray(list.items)) {
      const items = yaml.isMap(node) ? node.get('items', true) : undefined
      list.items.forEach((item, index) => {
        const itemNode = yaml.isSeq(items) ? (items.items[index] as Yaml.ParsedNode) : node
        addObject(item, itemNode)
      })
    } else if (lack) {
      report(`This is no Kubernetes object: ${lack}.`, offset)
    } else {
      objects.push({ object: deepFreeze(value as KubeObject), at: at(offset) })
    }
  }

  for (const document of documents) {
    const [error] = document.errors
    if (error) {
      report('This is not valid YAML.', error.pos[0], sentence(error.message))
      continue
    }
    if (!document.contents) continue
    try {
      const value: unknown = document.toJS({ maxAliasCount: 10_000 })
      if (value !== null) addObject(value, document.contents as Yaml.ParsedNode)
    } catch (thrown) {
      report('This is not valid YAML.', document.contents.range[0], sentence((thrown as Error).message))
    }
  }
  return { objects, problems }
}

const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`)

/** What is missing for a Kubernetes object; undefined when nothing is. */
export function lackOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'it must be a mapping with apiVersion and kind'
  const { apiVersion, kind, metadata } = value as Record<string, unknown>
  if (typeof apiVersion !== 'string' || apiVersion === '') return 'it has no apiVersion'
  if (typeof kind !== 'string' || kind === '') return 'it has no kind'
  if (kind.endsWith('List') && Array.isArray((value as { items?: unknown }).items)) return undefined
  const { name, generateName } = (metadata ?? {}) as Record<string, unknown>
  if (typeof name === 'string' && name !== '') return undefined
  return `the ${kind} has no metadata.name${generateName ? ' (generateName makes a name that devloop could not find again)' : ''}`
}
