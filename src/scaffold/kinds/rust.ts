// Rust packages: one component for each binary, compiled in the container by the tool chain of the `dev` stage.
import { posix } from 'node:path'
import type { Detector, Finding, Found, Place } from '../component.js'
import { dockerfileOf, runs, shareWithGroup, type Line } from '../dockerfile-text.js'
import { findInFiles, findPort, sourceFiles, type Port } from '../find-text.js'
import { parseToml, textAt } from '../read-data.js'
import { inFolder, pathWithin } from '../source-tree.js'
import { versionFor } from '../versions.js'
import { cargoWorkspace, readCrate, type Crate, type Workspace } from './cargo.js'

/** Where the compiler keeps what it made: outside of the sources. */
const output = '/opt/target'

export const rust: Detector = (place) => {
  const crate = readCrate(place.tree, place.folder)
  if (!crate) return []
  const workspace = cargoWorkspace(place.tree, crate)
  return crate.binaries.map((binary) => component(place, crate, workspace, binary))
}

function component(place: Place, crate: Crate, workspace: Workspace | undefined, binary: Crate['binaries'][number]): Found {
  const { tree, folder } = place
  const root = workspace?.folder ?? folder
  const members = workspace?.members ?? [crate]
  const used = localCrates(crate, members)
  const main = inFolder(folder, binary.file)
  // a program beside others says itself what it listens on
  const others = crate.binaries.filter(({ file }) => file !== binary.file).map(({ file }) => inFolder(folder, file))
  const all = [...new Set([main, ...used.flatMap((one) => sourceFiles(tree, one.folder, ['.rs']))])]
  const sources = all.filter((path) => !others.includes(path))
  // a program beside others says itself what it listens on
  const files = crate.binaries.length > 1 ? [main] : sources
  const framework = frameworks.find(({ crate: name }) => used.some((one) => one.dependencies.includes(name)))
  const port = portOf(place, files, framework)
  const version = toolchain(place, root)
  const locked = tree.has(inFolder(root, 'Cargo.lock')) ? ' --locked' : ''
  const build = `cargo build${locked} -p ${crate.name} --bin ${binary.name}`
  const manifests = [
    ...new Set([
      'Cargo.toml',
      'Cargo.lock',
      ...members.map((one) => pathWithin(one.path, root)),
      'rust-toolchain.toml',
      'rust-toolchain',
      '.cargo/config.toml',
    ]),
  ].filter((path) => tree.has(inFolder(root, path)))
  const local = findInFiles(tree, files, [/\bbind\(\s*\(?\s*"(?:127\.0\.0\.1|localhost)/, /\(\[127,\s*0,\s*0,\s*1\]/])
  return {
    name: binary.name,
    kind: 'rust',
    findings: [
      version.finding,
      ...(workspace ? [{ what: 'workspace', proof: workspace.path }] : []),
      { what: `binary ${binary.name}`, proof: main },
      ...(framework ? [{ what: framework.title, proof: crate.path }] : []),
    ],
    notes: [
      ...(local ? [`It listens on localhost only, where no other pod reaches it: write 0.0.0.0 in ${local.proof}.`] : []),
      ...(locked === '' ? [`It has no Cargo.lock: run cargo generate-lockfile, so that each build takes the same crates.`] : []),
    ],
    context: root,
    dockerfile: {
      text: dockerfile(place, {
        root,
        members,
        manifests,
        build,
        locked,
        version: version.number,
        binary: binary.name,
        framework,
        port,
      }),
      ...(crate.binaries.length > 1 && binary.file !== 'src/main.rs' ? { name: `Dockerfile.${binary.name}` } : {}),
    },
    ignore: ['**/target'],
    live: [
      { rule: 'rebuildOn', paths: manifests },
      ...ignored(members, used, root),
      { rule: 'sync', from: '.', to: '/app' },
      { rule: 'run', command: build },
      { rule: 'restart' },
    ],
    ...(port ? { port } : {}),
    sources,
    process: { prepare: build, command: [`./target/debug/${binary.name}`] },
    libraries: used.flatMap((one) => one.dependencies.map((name) => ({ name, proof: one.path }))),
  }
}

/** A member's tests are no part of it, and what it does not use is none either. */
function ignored(members: readonly Crate[], used: readonly Crate[], root: string): Found['live'] {
  const foreign = members.filter((one) => one.folder !== root && !used.some((other) => other.folder === one.folder))
  const tests = used.map((one) => inFolder(pathWithin(one.folder, root), 'tests'))
  return [{ rule: 'ignore', paths: [...tests, ...foreign.map((one) => pathWithin(one.folder, root))] }]
}

/** A crate and those of its workspace that it depends on. */
function localCrates(crate: Crate, members: readonly Crate[]): readonly Crate[] {
  const used = new Set<Crate>()
  const visit = (one: Crate): void => {
    if (used.has(one)) return
    used.add(one)
    const folders = one.local.map((path) => posix.join(`/${one.folder}`, path).slice(1))
    for (const member of members) if (folders.includes(member.folder) || one.dependencies.includes(member.name)) visit(member)
  }
  visit(members.find(({ folder }) => folder === crate.folder) ?? crate)
  return [...used]
}

function toolchain({ tree, folder, bases }: Place, root: string): { readonly finding: Finding; readonly number: string } {
  const standard = bases.defaultVersion('rust')
  for (const proof of [...new Set([folder, root])].flatMap((one) =>
    ['rust-toolchain.toml', 'rust-toolchain'].map((name) => inFolder(one, name)),
  )) {
    const text = tree.read(proof)
    const channel = textAt(parseToml(text), 'toolchain', 'channel') ?? (/^\s*\[/.test(text ?? '[') ? undefined : text?.trim())
    const version = channel === undefined || !/^\d/.test(channel) ? undefined : versionFor(channel, standard, 3)
    if (version !== undefined) return { finding: { what: `Rust ${version}`, proof }, number: version }
  }
  return { finding: { what: `Rust ${standard}`, proof: inFolder(folder, 'Cargo.toml') }, number: standard }
}

interface Framework {
  readonly crate: string
  readonly title: string
  readonly port?: number
  readonly env?: string
}

const frameworks: readonly Framework[] = [
  { crate: 'axum', title: 'axum' },
  { crate: 'actix-web', title: 'Actix Web' },
  { crate: 'rocket', title: 'Rocket', port: 8000, env: 'ROCKET_ADDRESS=0.0.0.0' },
  { crate: 'warp', title: 'warp' },
  { crate: 'poem', title: 'Poem' },
  { crate: 'tonic', title: 'tonic' },
]

/** Undefined where nothing listens, as in a worker. */
function portOf({ tree, folder }: Place, files: readonly string[], framework: Framework | undefined): Port | undefined {
  const listens = findInFiles(tree, files, [
    /TcpListener::bind\(|\.bind\(|\baxum::|HttpServer::new|rocket::build|warp::serve|Server::bind|Server::builder\(/,
  ])
  if (!listens) return undefined
  const said = findPort(tree, folder, files, [
    /\bbind\(\s*&?\s*"[^":]*:(\d+)"/,
    /\bbind\(\s*\(\s*[^,()]+,\s*(\d{2,5})\s*\)/,
    /\(\[[\d, ]+\],\s*(\d{2,5})\)/,
    /"[\d.]+:(\d{2,5})"/,
    /"PORT"\)[\s\S]{0,80}?\b(\d{4,5})\b/,
    /\bport\w*(?:\s*:\s*u16)?\s*=\s*(\d{2,5})\b/i,
  ])
  return (
    said ?? { number: framework?.port ?? 8080, proof: listens.proof, ...(framework?.port === undefined ? { assumed: true } : {}) }
  )
}

interface Build {
  readonly root: string
  readonly members: readonly Crate[]
  readonly manifests: readonly string[]
  readonly build: string
  readonly locked: string
  readonly version: string
  readonly binary: string
  readonly framework: Framework | undefined
  readonly port: Port | undefined
}

function dockerfile(
  { tree, bases }: Place,
  { root, members, manifests, build, version, binary, framework, port }: Build,
): string {
  const copied = manifests.filter((path) => !path.startsWith('rust-toolchain'))
  const folders = [...new Set(copied.map((path) => path.slice(0, path.lastIndexOf('/') + 1)))]
  const filesOf = (folder: string): readonly string[] =>
    copied.filter((path) => path.slice(0, path.lastIndexOf('/') + 1) === folder)
  const release = `${build} --release`
  const touch = "find . -name '*.rs' -exec touch {} +"
  const run = framework?.env === undefined ? undefined : `ENV ${framework.env}`
  const env = [
    'HOME=/app',
    `CARGO_TARGET_DIR=${output}`,
    // the image has one tool chain, which is the one that the file names
    ...(copied.length < manifests.length ? ['RUSTUP_TOOLCHAIN=${RUST_VERSION:-stable}'] : []),
    ...(tree.folders.includes(inFolder(root, '.sqlx')) ? ['SQLX_OFFLINE=true'] : []),
  ]
  return dockerfileOf([
    { lines: [`FROM ${bases.image('rust', version)} AS base`, `ENV ${env.join(' ')}`, 'WORKDIR /app'] },
    {
      why: 'Empty programs in place of the sources: with them the crates are built in a layer of their own, which is used again until these files change.',
      lines: [
        'FROM base AS manifests',
        ...folders.map((folder) => `COPY ${filesOf(folder).join(' ')} ./${folder}`),
        emptySources(members, root),
      ],
    },
    {
      why: 'What devloop runs: saved files are synced into it, and compiled there.',
      lines: [
        'FROM manifests AS dev',
        `RUN umask 002 && ${build}`,
        'COPY . .',
        `RUN umask 002 && ${touch} && ${build} && ${shareWithGroup()}`,
        run,
        ...runs([`${output}/debug/${binary}`], port?.number),
      ],
    },
    {
      lines: [
        'FROM manifests AS build',
        `RUN ${release}`,
        'COPY . .',
        `RUN ${touch} && ${release} && mkdir -p /out/app && cp ${output}/release/${binary} /out/app/ && chmod -R g=u /out/app`,
      ],
    },
    {
      lines: [
        `FROM ${bases.image('cc')} AS prod`,
        'ENV HOME=/app',
        run,
        'COPY --from=build /out /',
        'WORKDIR /app',
        ...runs([`/app/${binary}`], port?.number),
      ],
    },
  ])
}

function emptySources(members: readonly Crate[], root: string): Line {
  const paths = (isProgram: boolean): readonly string[] =>
    members.flatMap((one) =>
      one.targets
        .filter((target) => target.isProgram === isProgram)
        .map(({ file }) => posix.join(pathWithin(one.folder, root), file)),
    )
  const [programs, libraries] = [paths(true), paths(false)]
  const folders = [...new Set([...programs, ...libraries].map((path) => posix.dirname(path)))].sort()
  return [
    `RUN mkdir -p ${folders.join(' ')}`,
    ...(libraries.length > 0 ? [`touch ${libraries.join(' ')}`] : []),
    ...(programs.length > 0 ? [`echo 'fn main() {}' | tee ${programs.join(' ')} > /dev/null`] : []),
  ].join(' && ')
}
