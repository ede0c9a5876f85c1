// Parses manifests: YAML as Kubernetes reads it (1.1), each object with its place. Pure: the parser is given.
import type * as Yaml from 'yaml'
import type { SourcePosition } from '../errors/devloop-error.js'
import type { KubeObject, ManifestObject } from './plan.js'

/** The parts of the yaml package that are used. */
export type YamlParser = Pick<typeof Yaml, 'isMap' | 'isSeq' | 'LineCounter' | 'parseAllDocuments'>

export interface ManifestProblem {
  readonly code: 'devloopfile/yaml'
  readonly message: string
  readonly why?: string | undefined
  readonly at: SourcePosition
  readonly help?: string | undefined
}

export interface Documents {
  readonly objects: readonly ManifestObject[]
  readonly problems: readonly ManifestProblem[]
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

/**
 * Every object of a text; lists are taken apart. What is no object is among the problems.
 * @param file where the text comes from, for positions
 */
export function parseManifests(text: string, file: string, yaml: YamlParser): Documents {
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
  const problems: ManifestProblem[] = []
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
      objects.push({ object: value as KubeObject, at: at(offset) })
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
