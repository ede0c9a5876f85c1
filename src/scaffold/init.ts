// `devloop init` without its prompts: reads the sources, plans, and writes what is not there.
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { DevloopError } from '../errors/devloop-error.js'
import { makeBases, readBases } from './bases.js'
import { devloopfileName, filesOf } from './files.js'
import { planInit } from './plan.js'
import type { InitFile, InitPlan } from './plan-types.js'
import { readSourceTree, type SourceTree } from './source-tree.js'

export interface InitOptions {
  /** Folder of the project. Default: the working folder. */
  readonly folder?: string | undefined
  /** File with base images. */
  readonly bases?: string | undefined
  readonly mirror?: string | undefined
  /** The user's own table of base images, which need not be there. */
  readonly userBases?: string | undefined
  /** Kubeconfig context that devloop may write to. */
  readonly context?: string | undefined
  /** Write the Devloopfile anew. */
  readonly force?: boolean | undefined
}

/** What becomes of a file: made, written anew, or the same already. */
export interface InitChange extends InitFile {
  readonly action: 'create' | 'overwrite' | 'same'
}

export interface InitRun {
  /** Absolute path of the project's folder. */
  readonly root: string
  /** Whether there is a Devloopfile that is kept: nothing is written then. */
  readonly isKept: boolean
  /** @throws DevloopError init/nothing */
  plan(answers?: ReadonlyMap<string, string>): InitPlan
  changes(plan: InitPlan): readonly InitChange[]
  /** @throws DevloopError init/write */
  write(changes: readonly InitChange[]): void
}

/** @throws DevloopError init/folder, init/bases */
export function startInit(options: InitOptions): InitRun {
  const root = resolve(options.folder ?? '.')
  if (!isFolder(root)) throw new DevloopError('init/folder', `There is no folder ${root}.`)
  const tree = readSourceTree(root)
  const bases = makeBases({ mirror: options.mirror, own: tables(options) })
  const isKept = tree.has(devloopfileName) && !options.force
  return {
    root,
    isKept,
    plan(answers) {
      const plan = planInit({ tree, rootName: basename(root), bases, ...(answers ? { answers } : {}) })
      if (isEmpty(plan))
        throw new DevloopError('init/nothing', `Nothing was found in ${root} that could run.`, {
          why: 'Looked for: Dockerfiles, Compose files, manifests, charts, package.json, pyproject.toml, requirements.txt, go.mod, pom.xml, build.gradle, Cargo.toml, Gemfile, composer.json, *.csproj, index.html.',
        })
      return plan
    },
    changes: (plan) => filesOf(tree, plan, { bases, context: options.context }).map((file) => changeOf(tree, file)),
    write(changes) {
      for (const { path, text, action } of changes) if (action !== 'same') put(join(root, path), text, action)
    },
  }
}

const tables = ({ bases, userBases }: InitOptions): readonly Readonly<Record<string, string>>[] => [
  ...(userBases === undefined ? [] : [readBases(userBases, true) ?? {}]),
  ...(bases === undefined ? [] : [readBases(bases) ?? {}]),
]

const isEmpty = ({ components, existing: { compose, manifests, charts, kustomizations } }: InitPlan): boolean =>
  components.length + manifests.length + charts.length + kustomizations.length === 0 && !compose

const changeOf = (tree: SourceTree, file: InitFile): InitChange => ({
  ...file,
  action: !tree.has(file.path) ? 'create' : tree.read(file.path) === file.text ? 'same' : 'overwrite',
})

function put(file: string, text: string, action: InitChange['action']): void {
  try {
    mkdirSync(dirname(file), { recursive: true })
    // what came into being since the sources were read is not overwritten
    writeFileSync(file, text, { flag: action === 'create' ? 'wx' : 'w' })
  } catch (thrown) {
    const { code, message } = thrown as NodeJS.ErrnoException
    if (code === 'EEXIST') {
      if (readFileSync(file, 'utf8') === text) return
      throw new DevloopError('init/exists', `${file} is there already.`)
    }
    throw new DevloopError('init/write', `${file} cannot be written.`, { why: message, cause: thrown })
  }
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
