// What the surroundings of a running Devloopfile do for the API: find call sites, read files. The loader's worker puts in its own.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { SourcePosition } from '../../errors/devloop-error.js'
import type { ComposeRequest } from '../compose/compose.js'
import type { Composed } from '../compose/result.js'

/** A function of the API, by identity: call sites are looked for above it. */
export type ApiFunction = (...args: never[]) => unknown

/** The little of NodeJS.CallSite that is needed, so that the published types need none of Node's. */
export interface CallSite {
  getFileName(): string | null | undefined
  getLineNumber(): number | null
  getColumnNumber(): number | null
}

export interface Session {
  /** The place in the user's sources of the first of these call sites that is one. */
  locate(sites: readonly CallSite[]): SourcePosition
  /** Text of a file (absolute path), which becomes an input of the plan. */
  read(path: string): string
  parseYaml(text: string, file: string): unknown
  /** Which way is taken of a resource that can be made in two. */
  choose(name: string, preferred: 'local' | 'remote'): 'local' | 'remote'
  /** @internal (the published types shall not lead to what reads the files) The services of Compose files. @throws an error of the surroundings' own, which says what is wrong with the files */
  compose(request: ComposeRequest): Composed
}

/** Where the worker puts its session: shared by all copies of the API in one thread. */
export const sessionKey = Symbol.for('devloop.session')

const holder = globalThis as { [sessionKey]?: Session }

/** A Devloopfile that is imported by something else than devloop, such as a test of the user's own. */
const outside: Session = {
  locate(sites) {
    for (const site of sites) {
      const name = site.getFileName()
      if (!name || name.startsWith('node:')) continue
      const file = name.startsWith('file:') ? fileURLToPath(name) : name
      return { file, line: site.getLineNumber() ?? 1, column: site.getColumnNumber() ?? 1 }
    }
    return { file: '', line: 1 }
  },
  read: (path) => readFileSync(path, 'utf8'),
  choose: (_name, preferred) => preferred,
  parseYaml() {
    throw new Error('readYaml works only in a Devloopfile that devloop loads.')
  },
  compose() {
    throw new Error('compose works only in a Devloopfile that devloop loads.')
  },
}

export const session = (): Session => holder[sessionKey] ?? outside

/** Where the user's code calls `api`. */
export function callPosition(api: ApiFunction): SourcePosition {
  const { prepareStackTrace: prepare, stackTraceLimit: limit } = Error
  let sites: readonly CallSite[] = []
  try {
    Error.stackTraceLimit = 50
    Error.prepareStackTrace = (_error, found) => {
      sites = found
      return ''
    }
    const holder: { stack?: string } = {}
    Error.captureStackTrace(holder, api)
    void holder.stack
  } finally {
    if (prepare) Error.prepareStackTrace = prepare
    else Reflect.deleteProperty(Error, 'prepareStackTrace')
    Error.stackTraceLimit = limit
  }
  return session().locate(sites)
}
