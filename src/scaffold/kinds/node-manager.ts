// Which package manager a project uses, and how a Dockerfile installs with it what the lockfile says.
import { parse } from 'yaml'
import type { Finding } from '../component.js'
import { compileGlobs } from '../../model/globs.js'
import { folderAbove, inFolder, pathWithin, type SourceTree } from '../source-tree.js'
import { readPackage, type Package } from './node-package.js'

export interface NodeManager {
  readonly name: 'npm' | 'pnpm' | 'yarn' | 'bun'
  readonly finding: Finding
  /** Shell command that installs the manager itself; undefined when the base image has it. */
  readonly setup: string | undefined
  /** Files beside package.json that it installs from, relative to the project's root. */
  readonly files: readonly string[]
  /** Folders that it installs from. */
  readonly folders: readonly string[]
  /** Shell command: all that is needed for development, as the lockfile says. */
  readonly install: string
  /** Shell command: removes what only development needs. */
  readonly prune: string
  /** Shell command that runs a script of the package in the working folder. */
  run(script: string): string
  /** Environment that it needs in containers. */
  readonly env: Readonly<Record<string, string>>
}

export interface NodeProject {
  /** Folder with the lockfile: the build context. */
  readonly root: string
  readonly manager: NodeManager
  /** The packages of its workspaces, by their folders; empty when it has none. */
  readonly members: readonly Package[]
}

/** The project that a package belongs to: a workspace that has it as a member, else it is one of its own. */
export function nodeProject(tree: SourceTree, own: Package): NodeProject {
  for (let folder = folderAbove(own.folder); folder !== undefined; folder = folderAbove(folder)) {
    const members = workspaceMembers(tree, folder)
    if (members.some((member) => member.folder === own.folder))
      return { root: folder, manager: managerOf(tree, readPackage(tree, folder), folder), members }
  }
  return { root: own.folder, manager: managerOf(tree, own, own.folder), members: workspaceMembers(tree, own.folder) }
}

/** The packages of the workspaces of a folder. */
function workspaceMembers(tree: SourceTree, root: string): readonly Package[] {
  const patterns = readPackage(tree, root)?.workspaces ?? pnpmWorkspaces(tree.read(inFolder(root, 'pnpm-workspace.yaml')))
  if (!patterns || patterns.length === 0) return []
  const isMember = compileGlobs(patterns.filter((one) => !one.startsWith('!')))
  const isNone = compileGlobs(patterns.filter((one) => one.startsWith('!')).map((one) => one.slice(1)))
  return tree.folders
    .filter((folder) => folder !== root && (root === '' || folder.startsWith(`${root}/`)))
    .filter((folder) => isMember(pathWithin(folder, root)) && !isNone(pathWithin(folder, root)))
    .flatMap((folder) => readPackage(tree, folder) ?? [])
}

function pnpmWorkspaces(text: string | undefined): readonly string[] | undefined {
  try {
    const packages = text === undefined ? undefined : ((parse(text) as { packages?: unknown } | null)?.packages ?? undefined)
    return Array.isArray(packages) ? packages.filter((one) => typeof one === 'string') : undefined
  } catch {
    return undefined
  }
}

function managerOf(tree: SourceTree, own: Package | undefined, root: string): NodeManager {
  const [, wanted, version] = /^(npm|pnpm|yarn|bun)@(\d[^+]*)/.exec(own?.packageManager ?? '') ?? []
  const locks: readonly (readonly [NodeManager['name'], readonly string[]])[] = [
    ['pnpm', ['pnpm-lock.yaml']],
    ['bun', ['bun.lock', 'bun.lockb']],
    ['yarn', ['yarn.lock']],
    ['npm', ['package-lock.json', 'npm-shrinkwrap.json']],
  ]
  const lockOf = (name: string): string | undefined =>
    locks.find(([manager]) => manager === name)?.[1].find((file) => tree.has(inFolder(root, file)))
  const name = (wanted as NodeManager['name'] | undefined) ?? locks.find(([manager]) => lockOf(manager))?.[0] ?? 'npm'
  const lock = lockOf(name)
  const at = (file: string): string => inFolder(root, file)
  const finding: Finding = wanted
    ? { what: `${name} ${version}`, proof: at('package.json') }
    : lock === undefined
      ? { what: `${name}, without a lockfile`, proof: at('package.json') }
      : { what: name, proof: at(lock) }
  const present = (files: readonly string[]): string[] => files.filter((file) => tree.has(at(file)))
  const files = [...(lock === undefined ? [] : [lock]), ...present(['.npmrc'])]
  const common = { name, finding, files, folders: [], env: {}, run: (script: string) => `${name} run ${script}` }
  switch (name) {
    case 'npm':
      return {
        ...common,
        setup: undefined,
        install: `npm ${lock ? 'ci' : 'install'} --cache /tmp/npm && rm -rf /tmp/npm`,
        prune: 'npm prune --omit=dev',
      }
    case 'pnpm': {
      const frozen = lock ? ' --frozen-lockfile' : ''
      const store = ' --store-dir /tmp/pnpm'
      return {
        ...common,
        setup: `npm install --global pnpm@${version ?? pnpmFor(tree.read(at('pnpm-lock.yaml')))}`,
        files: [...files, ...present(['pnpm-workspace.yaml', '.pnpmfile.cjs'])],
        folders: existing(tree, root, ['patches']),
        // copied, not linked: the store is removed with the layer
        install: `pnpm install${frozen}${store} --package-import-method copy && rm -rf /tmp/pnpm`,
        prune: `pnpm install${frozen}${store} --package-import-method copy --prod --ignore-scripts && rm -rf /tmp/pnpm`,
        env: { CI: 'true' },
      }
    }
    case 'bun': {
      const frozen = lock ? ' --frozen-lockfile' : ''
      return {
        ...common,
        setup: undefined,
        files: [...files, ...present(['bunfig.toml'])],
        install: `bun install${frozen}`,
        prune: `rm -rf node_modules && bun install${frozen} --production --ignore-scripts`,
      }
    }
    case 'yarn': {
      const isClassic = version
        ? version.startsWith('1.')
        : !tree.has(at('.yarnrc.yml')) && !/^__metadata:/m.test(tree.read(at('yarn.lock')) ?? '')
      if (isClassic)
        return {
          ...common,
          files: [...files, ...present(['.yarnrc'])],
          // the official image has a yarn already, which is replaced
          setup: `npm install --global --force yarn@${version ?? '1'}`,
          install: `yarn install${lock ? ' --frozen-lockfile' : ''} --cache-folder /tmp/yarn && rm -rf /tmp/yarn`,
          prune: `yarn install${lock ? ' --frozen-lockfile' : ''} --production --ignore-scripts --cache-folder /tmp/yarn && rm -rf /tmp/yarn`,
        }
      const released = /^yarnPath:\s*["']?([^\s"']+)/m.exec(tree.read(at('.yarnrc.yml')) ?? '')?.[1]
      return {
        ...common,
        setup: released ? undefined : `npm install --global --force @yarnpkg/cli-dist@${version ?? '4'}`,
        files: [...files, ...present(['.yarnrc.yml'])],
        folders: existing(tree, root, ['.yarn']),
        install: `${yarn(released)} install${lock ? ' --immutable' : ''}`,
        prune: `${yarn(released)} workspaces focus --all --production`,
        run: (script) => `${yarn(released)} run ${script}`,
        // programs find their modules without a loader of yarn's
        env: { YARN_NODE_LINKER: 'node-modules', YARN_CACHE_FOLDER: '/tmp/yarn', YARN_ENABLE_GLOBAL_CACHE: 'false' },
      }
    }
  }
}

const yarn = (released: string | undefined): string =>
  released === undefined ? 'yarn' : `node /app/${released.replace(/^\.\//, '')}`

const existing = (tree: SourceTree, root: string, names: readonly string[]): string[] =>
  names.filter((name) => tree.folders.includes(inFolder(root, name)))

/** The major version of pnpm that writes a lockfile like this. */
function pnpmFor(lock: string | undefined): string {
  const version = /^lockfileVersion:\s*["']?(\d+)/m.exec(lock ?? '')?.[1]
  return version === '5' ? '7' : version === '6' ? '8' : '10'
}
