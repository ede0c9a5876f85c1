// What the kinds of components have in common: what a detector is given, and what it finds.
import type { Bases } from './bases.js'
import type { Port } from './find-text.js'
import type { SourceTree } from './source-tree.js'

/** Something that was found out about the sources, and the file that proves it. */
export interface Finding {
  /** Such as `Node.js 22` or `framework: express`. */
  readonly what: string
  /** Path of the file, relative to the root of the tree. */
  readonly proof: string
}

/** A line of `live` in the Devloopfile. Paths and globs are relative to the context. */
export type LiveLine =
  | {
      readonly rule: 'sync'
      /** File or folder; `.` = the whole context. */
      readonly from: string
      /** Absolute path in the container. */
      readonly to: string
      readonly include?: readonly string[]
      readonly exclude?: readonly string[]
    }
  | { readonly rule: 'run'; readonly command: string | readonly string[]; readonly on?: readonly string[] }
  /** Without `on`: whatever was synced. */
  | { readonly rule: 'restart'; readonly on?: readonly string[] }
  | { readonly rule: 'rebuildOn' | 'ignore'; readonly paths: readonly string[] }

/** A library that the component uses: services are told from them. */
export interface Library {
  /** As the manifest has it: `pg`, `github.com/jackc/pgx/v5`, `org.postgresql:postgresql`. */
  readonly name: string
  /** Path of the manifest. */
  readonly proof: string
}

/** What a detector found: something that runs, with all that only its kind knows. */
export interface Found {
  /** Name that suggests itself, in any form; default: that of the folder. The plan makes DNS labels of names, and makes them unique. */
  readonly name?: string
  /** Such as `node`, `python`, `static`. */
  readonly kind: string
  /** In the order in which they are told; the first says language and version. */
  readonly findings: readonly Finding[]
  /** What somebody should know or do, such as `it listens on localhost only`. */
  readonly notes?: readonly string[]
  /** Folder of the build context. Default: the folder it was found in. Another one for members of a workspace. */
  readonly context?: string
  readonly dockerfile: {
    /** Its text, with the stages `dev` and `prod`, the last one `prod`. */
    readonly text: string
    /** Name of the file in the component's folder, where one folder has several components. Default: `Dockerfile`. */
    readonly name?: string
  }
  /** Lines for the context's .dockerignore beside those that all contexts have: dependencies, what builds write. */
  readonly ignore: readonly string[]
  readonly live: readonly LiveLine[]
  /** Undefined: it listens on no port. Where it is `assumed`, whoever runs `devloop init` is asked. */
  readonly port?: Port
  /** How it runs on this machine, in a copy of the context. */
  readonly process?: { readonly prepare?: string; readonly command: readonly string[] }
  /** Plain variables of its environment in the `dev` stage's command. */
  readonly env?: Readonly<Record<string, string>>
  readonly libraries: readonly Library[]
  /**
   * Environment variables that this kind's files name in a way that the plan's own search does not see (`${DB_URL}` of a Spring
   * `application.properties`), with the file.
   */
  readonly variables?: readonly { readonly name: string; readonly proof: string }[]
  /** Files that it is made of, where that is not the whole folder, or more. Variables are looked for in these. */
  readonly sources?: readonly string[]
}

/** Something that only a person can know. */
export interface Question {
  /** Stays the same from run to run, such as `api/entry`. */
  readonly id: string
  readonly message: string
  readonly choices: readonly { readonly value: string; readonly label: string }[]
  /** The value that is taken when nobody is asked. */
  readonly fallback: string
}

/** Gives the answer to a question, or its fallback. Each is asked once a run, however often it is looked up. */
export type Ask = (question: Question) => string

/** What a detector looks at. */
export interface Place {
  readonly tree: SourceTree
  /** Relative to the root; '' = the root. */
  readonly folder: string
  readonly bases: Bases
  readonly ask: Ask
}

/**
 * Looks for components of one kind in one folder (not below). Deterministic: the same tree, the same result. An empty array means that the
 * folder holds none of that kind. Files that cannot be parsed are no reason to throw: they prove nothing.
 */
export type Detector = (place: Place) => readonly Found[]
