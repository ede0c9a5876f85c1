// What Cargo.toml files say: binaries, workspaces, and the files that a manifest must find beside it.
import { at, keysAt, listAt, parseToml, textAt, textsAt } from '../read-data.js'
import { folderAbove, inFolder, isWithin, pathWithin, type SourceTree } from '../source-tree.js'

export interface Crate {
  readonly folder: string
  /** Path of its Cargo.toml. */
  readonly path: string
  readonly name: string
  readonly binaries: readonly { readonly name: string; readonly file: string }[]
  /** Paths, relative to the folder, that Cargo wants to see: programs, and libraries without a `main`. */
  readonly targets: readonly { readonly file: string; readonly isProgram: boolean }[]
  /** Names of the crates that it depends on when it runs. */
  readonly dependencies: readonly string[]
  /** Those of them that are folders, by their path. */
  readonly local: readonly string[]
}

/** The package that a folder's Cargo.toml describes; undefined where there is none, as in a workspace's own. */
export function readCrate(tree: SourceTree, folder: string): Crate | undefined {
  const path = inFolder(folder, 'Cargo.toml')
  const toml = parseToml(tree.read(path))
  const name = textAt(toml, 'package', 'name')
  if (name === undefined) return undefined
  const there = (file: string): boolean => tree.has(inFolder(folder, file))
  const said = listAt(toml, 'bin').flatMap((bin) => {
    const own = textAt(bin, 'name') ?? name
    const standard = ['src/main.rs', `src/bin/${own}.rs`, `src/bin/${own}/main.rs`].find(
      (file) => (own === name || file !== 'src/main.rs') && there(file),
    )
    const file = textAt(bin, 'path') ?? standard
    return file === undefined ? [] : [{ name: own, file }]
  })
  const found = [
    ...(there('src/main.rs') ? [{ name, file: 'src/main.rs' }] : []),
    ...tree.paths
      .filter((one) => isWithin(one, inFolder(folder, 'src/bin')))
      .flatMap((one) => {
        const file = pathWithin(one, folder)
        const own = /^src\/bin\/(?:([^/]+)\.rs|([^/]+)\/main\.rs)$/.exec(file)
        return own ? [{ name: own[1] ?? own[2] ?? name, file }] : []
      }),
  ]
  const binaries = [...said, ...found.filter((one) => !said.some(({ file, name: own }) => file === one.file || own === one.name))]
  const library = textAt(toml, 'lib', 'path') ?? (there('src/lib.rs') ? 'src/lib.rs' : undefined)
  const script = textAt(toml, 'package', 'build') ?? (there('build.rs') ? 'build.rs' : undefined)
  const others = (['bench', 'test', 'example'] as const).flatMap((kind) =>
    listAt(toml, kind).map(
      (one) => textAt(one, 'path') ?? `${kind === 'bench' ? 'benches' : `${kind}s`}/${textAt(one, 'name') ?? kind}.rs`,
    ),
  )
  const tables = [['dependencies'], ...keysAt(toml, 'target').map((target) => ['target', target, 'dependencies'])]
  return {
    folder,
    path,
    name,
    binaries,
    targets: [
      ...(library === undefined ? [] : [{ file: library, isProgram: false }]),
      ...[...binaries.map(({ file }) => file), ...(script === undefined ? [] : [script]), ...others].map((file) => ({
        file,
        isProgram: true,
      })),
    ],
    dependencies: tables.flatMap((keys) => keysAt(toml, ...keys).map((key) => textAt(toml, ...keys, key, 'package') ?? key)),
    local: tables.flatMap((keys) => keysAt(toml, ...keys).flatMap((key) => textAt(toml, ...keys, key, 'path') ?? [])),
  }
}

export interface Workspace {
  readonly folder: string
  readonly path: string
  readonly members: readonly Crate[]
}

/** The workspace that a package belongs to. */
export function cargoWorkspace(tree: SourceTree, crate: Crate): Workspace | undefined {
  for (let above: string | undefined = crate.folder; above !== undefined; above = folderAbove(above)) {
    const root: string = above
    const path = inFolder(root, 'Cargo.toml')
    const toml = parseToml(tree.read(path))
    if (at(toml, 'workspace') === undefined) continue
    const matches = (patterns: readonly string[]) => (folder: string) =>
      patterns.some((one) => pattern(one).test(pathWithin(folder, root)))
    const [isMember, isExcluded] = [
      matches(textsAt(toml, 'workspace', 'members')),
      matches(textsAt(toml, 'workspace', 'exclude')),
    ]
    const members = tree.folders
      .filter((folder) => isWithin(folder, root) && (folder === root || (isMember(folder) && !isExcluded(folder))))
      .flatMap((folder) => readCrate(tree, folder) ?? [])
    return members.some((one) => one.folder === crate.folder) ? { folder: root, path, members } : undefined
  }
  return undefined
}

/** Cargo's patterns stay within a name, and match folders only. */
const pattern = (glob: string): RegExp =>
  new RegExp(
    `^${glob
      .replace(/\/$/, '')
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '[^/]*')
      .replaceAll('?', '[^/]')}$`,
  )
