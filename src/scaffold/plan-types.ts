// What `devloop init` is going to write, as data.
import type { Finding, LiveLine, Question } from './component.js'
import type { Variable } from './environment.js'
import type { Existing } from './existing.js'
import type { Port } from './find-text.js'
import type { ServiceKind, ServiceValue } from './service-signs.js'
import type { Service, ServiceNeed } from './services.js'

/** What a variable of a component gets. */
export type EnvValue =
  | { readonly kind: 'text'; readonly text: string }
  /** Made once in the cluster. */
  | { readonly kind: 'generated'; readonly name: string }
  | { readonly kind: 'service'; readonly service: ServiceKind; readonly value: ServiceValue }
  | { readonly kind: 'component'; readonly component: string; readonly value: 'url' | 'address' | 'host' | 'port' }

/** Something that runs: a found one with a name, a place, and what it is told of the others. */
export interface Component {
  /** DNS label, unique in the plan. */
  readonly name: string
  /** Relative to the root; '' = the root. */
  readonly folder: string
  readonly kind: string
  readonly findings: readonly Finding[]
  readonly notes: readonly string[]
  /** Folder of the build context. */
  readonly context: string
  readonly dockerfile: {
    readonly path: string
    /** Stage to build; undefined: the last. */
    readonly target?: string
    /** Text to be written; undefined when the file is there, and kept. */
    readonly text?: string
  }
  readonly ignore: readonly string[]
  readonly live: readonly LiveLine[]
  readonly port?: Port
  /** Port of this machine that leads to `port`. */
  readonly local?: number
  readonly process?: { readonly prepare?: string; readonly command: readonly string[] }
  readonly env: Readonly<Record<string, EnvValue>>
  /** Variables that look as if somebody had to set them, but nothing tells to what. */
  readonly unknown: readonly Variable[]
  readonly services: readonly ServiceNeed[]
  /** Name of its image. */
  readonly image: string
  /** It runs by what exists: the name of a service of the Compose file, or of manifests or a chart that use its image. */
  readonly runsBy?: 'compose' | 'manifests'
}

export interface InitPlan {
  /** Name of the project. */
  readonly project: string
  readonly components: readonly Component[]
  readonly services: readonly Service[]
  readonly existing: Existing
  /** All that was asked, in order, with what was answered. */
  readonly questions: readonly (Question & { readonly answer: string })[]
  /** What nobody can decide but the reader. */
  readonly notes: readonly string[]
}

/** A file to be written, relative to the root. */
export interface InitFile {
  readonly path: string
  readonly text: string
}
