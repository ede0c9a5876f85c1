// Go modules: one component for each program in them, built in the container by the tool chain of the `dev` stage.
import type { Detector, Finding, Found, Place } from '../component.js'
import { dockerfileOf, runs, shareWithGroup, type Line } from '../dockerfile-text.js'
import { findInFiles, findPort, sourceFiles, type Port } from '../find-text.js'
import { folderAbove, inFolder, isWithin, pathWithin, type SourceTree } from '../source-tree.js'
import { compareVersions } from '../versions.js'

/** Where the compiler keeps what it made: outside of the sources. */
const cache = '/opt/go-build'

interface Module {
  readonly folder: string
  /** By which it is imported. */
  readonly name: string
  readonly path: string
  readonly version: string | undefined
  readonly requires: readonly string[]
}

/** A folder with `package main`. */
interface Program {
  readonly folder: string
  /** The file with `func main`. */
  readonly proof: string
}

export const go: Detector = (place) => {
  const { tree, folder } = place
  const own = readModule(tree, folder)
  if (!own) return []
  const workspace = workspaceOf(tree, folder)
  const programs = programsOf(tree, folder)
  return programs.map((program) => component(place, own, workspace, program, programs.length > 1))
}

function component(place: Place, own: Module, workspace: Workspace | undefined, program: Program, isOneOfMany: boolean): Found {
  const { tree, folder, bases } = place
  const root = workspace?.folder ?? folder
  const modules = workspace?.modules ?? [own]
  const files = usedFiles(tree, modules, program.folder)
  const port = portOf(tree, folder, files)
  const cgo = findInFiles(tree, files, [/^\s*(?:import\s+)?"C"$/m, /"github\.com\/mattn\/go-sqlite3"/, /confluent-kafka-go/])
  const standard = bases.defaultVersion('go')
  const version = own.version !== undefined && compareVersions(own.version, standard) > 0 ? own.version : standard
  const target = pathWithin(program.folder, root)
  const sources = target === '' ? '.' : `./${target}`
  const build = `go build -o bin/server ${sources}`
  const used = modules.filter((one) => files.some((path) => isWithin(path, one.folder)))
  const foreign = modules
    .filter((one) => !used.some((other) => isWithin(other.folder, one.folder)))
    .map((one) => pathWithin(one.folder, root))
  const manifests = [
    ...(workspace ? ['go.work', 'go.work.sum'] : []),
    ...modules.flatMap((one) => ['go.mod', 'go.sum'].map((name) => inFolder(pathWithin(one.folder, root), name))),
  ].filter((path) => tree.has(inFolder(root, path)))
  const local = findInFiles(tree, files, [
    /(?:ListenAndServe(?:TLS)?|\.Run|\.Start|\.Listen)\(\s*"(?:127\.0\.0\.1|localhost):\d+"/,
  ])
  return {
    name:
      isOneOfMany || target !== '' ? lastPart(program.folder) || lastPart(own.name) : lastPart(own.name.replace(/\/v\d+$/, '')),
    kind: 'go',
    findings: [
      { what: `Go ${version}`, proof: own.path },
      ...(workspace ? [{ what: 'workspace', proof: workspace.path }] : []),
      { what: `program ${sources}`, proof: program.proof },
      ...frameworkOf(tree, files),
      ...(cgo ? [{ what: 'uses C', proof: cgo.proof }] : []),
    ],
    notes: local ? [`It listens on localhost only, where no other pod reaches it: leave the host away in ${local.proof}.`] : [],
    context: root,
    dockerfile: {
      text: dockerfile(place, {
        version,
        manifests,
        build,
        sources,
        cgo: cgo !== undefined,
        port,
        data: dataFolders(tree, root, program.folder),
      }),
      ...(isOneOfMany && lastPart(program.folder) !== lastPart(folder) ? { name: `Dockerfile.${lastPart(program.folder)}` } : {}),
    },
    ignore: ['bin'],
    live: [
      { rule: 'rebuildOn', paths: manifests },
      { rule: 'ignore', paths: ['**/*_test.go', ...foreign] },
      { rule: 'sync', from: '.', to: '/app' },
      { rule: 'run', command: build },
      { rule: 'restart' },
    ],
    ...(port ? { port } : {}),
    sources: files,
    process: { prepare: build, command: ['./bin/server'] },
    libraries: used.flatMap((one) => importedOf(tree, files, one).map((name) => ({ name, proof: one.path }))),
  }
}

/** The name without the folders before it, and without a major version behind it. */
const lastPart = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

function readModule(tree: SourceTree, folder: string): Module | undefined {
  const path = inFolder(folder, 'go.mod')
  const text = tree.read(path)?.replace(/\/\/.*$/gm, '')
  const name = /^module\s+"?([^\s"]+)"?/m.exec(text ?? '')?.[1]
  if (text === undefined || name === undefined) return undefined
  const blocks = [...text.matchAll(/^require\s*\(([^)]*)\)/gm)].map(([, block]) => block)
  const single = [...text.matchAll(/^require\s+([^\s(]+)\s+v/gm)].map(([, one]) => one as string)
  const requires = blocks.flatMap((block) => [...(block ?? '').matchAll(/^\s*(\S+)\s+v/gm)].map(([, one]) => one as string))
  return { folder, name, path, version: /^go\s+(\d+\.\d+)/m.exec(text)?.[1], requires: [...single, ...requires] }
}

interface Workspace {
  readonly folder: string
  readonly path: string
  readonly modules: readonly Module[]
}

/** The go.work above that lists the module. */
function workspaceOf(tree: SourceTree, folder: string): Workspace | undefined {
  for (let above: string | undefined = folder; above !== undefined; above = folderAbove(above)) {
    const root: string = above
    const path = inFolder(root, 'go.work')
    const text = tree.read(path)?.replace(/\/\/.*$/gm, '')
    if (text === undefined) continue
    const listed = [...text.matchAll(/^use\s*\(([^)]*)\)/gm)].flatMap(([, block]) => (block ?? '').trim().split(/\s+/))
    const single = [...text.matchAll(/^use\s+([^\s(]+)/gm)].map(([, one]) => one ?? '')
    const modules = [...listed, ...single]
      .map((one) => one.replace(/^\.\/?/, '').replace(/\/$/, ''))
      .flatMap((one) => readModule(tree, inFolder(root, one)) ?? [])
    return modules.some((one) => one.folder === folder) ? { folder: root, path, modules } : undefined
  }
  return undefined
}

/** Commands that run to their end, by their names: nothing to keep running. */
const isTool = (name: string): boolean =>
  /^(migrate|migrations?|seed|cli|gen|generate|tools?|e2e|bench|example.*|.*ctl|.*-?gen)$/.test(name)

/** The programs of a module: in its own folder, in `cmd/*`, else one folder below. */
function programsOf(tree: SourceTree, folder: string): readonly Program[] {
  const inside = tree.folders.filter((one) => isWithin(one, folder) && one !== folder)
  const below = (parent: string): readonly string[] => inside.filter((one) => folderAbove(one) === parent)
  const programs = (folders: readonly string[]): readonly Program[] =>
    folders.flatMap((one) => {
      const proof = tree
        .files(one)
        .filter((name) => name.endsWith('.go') && !name.endsWith('_test.go'))
        .map((name) => inFolder(one, name))
        .find((path) => /^package main\b/m.test(tree.read(path) ?? '') && /^func main\(\)/m.test(tree.read(path) ?? ''))
      return proof === undefined ? [] : [{ folder: one, proof }]
    })
  const own = programs([folder])
  const commands = programs(below(inFolder(folder, 'cmd')).concat(inFolder(folder, 'cmd')))
  const all = [...own, ...(own.length + commands.length > 0 ? commands : programs(below(folder)))]
  const running = all.filter((one) => one.folder === folder || !isTool(lastPart(one.folder)))
  return running.length > 0 ? running : all
}

/** The files of a program, and of the packages in these modules that it imports. */
function usedFiles(tree: SourceTree, modules: readonly Module[], first: string): readonly string[] {
  const seen = new Set<string>()
  const found: string[] = []
  const visit = (folder: string): void => {
    if (seen.has(folder)) return
    seen.add(folder)
    for (const name of tree.files(folder)) {
      if (!name.endsWith('.go') || name.endsWith('_test.go')) continue
      const path = inFolder(folder, name)
      found.push(path)
      for (const imported of importsOf(tree.read(path) ?? '')) {
        const owner = modules.find((one) => imported === one.name || imported.startsWith(`${one.name}/`))
        if (owner) visit(inFolder(owner.folder, imported.slice(owner.name.length + 1)))
      }
    }
  }
  visit(first)
  return found
}

function importsOf(text: string): readonly string[] {
  const blocks = [...text.matchAll(/^import\s*\(([^)]*)\)/gm)].map(([, block]) => block ?? '')
  const single = [...text.matchAll(/^import\s+(?:[\w.]+\s+)?"([^"]+)"/gm)].map(([, one]) => one as string)
  return [...single, ...blocks.flatMap((block) => [...block.matchAll(/"([^"]+)"/g)].map(([, one]) => one as string))]
}

/** Of what a module requires, what these files import. */
function importedOf(tree: SourceTree, files: readonly string[], { requires }: Module): readonly string[] {
  const imports = new Set(files.flatMap((path) => importsOf(tree.read(path) ?? '')))
  return requires.filter((name) => [...imports].some((one) => one === name || one.startsWith(`${name}/`)))
}

const frameworks: Readonly<Record<string, string>> = {
  'github.com/gin-gonic/gin': 'Gin',
  'github.com/labstack/echo': 'Echo',
  'github.com/gofiber/fiber': 'Fiber',
  'github.com/go-chi/chi': 'chi',
  'github.com/gorilla/mux': 'Gorilla',
  'google.golang.org/grpc': 'gRPC',
}

function frameworkOf(tree: SourceTree, files: readonly string[]): readonly Finding[] {
  for (const [library, what] of Object.entries(frameworks)) {
    const proof = files.find((path) =>
      importsOf(tree.read(path) ?? '').some((one) => one === library || one.startsWith(`${library}/`)),
    )
    if (proof !== undefined) return [{ what, proof }]
  }
  return []
}

/** Undefined where nothing listens, as in a worker. */
function portOf(tree: SourceTree, folder: string, files: readonly string[]): Port | undefined {
  const listens = findInFiles(tree, files, [
    /ListenAndServe(?:TLS)?\(|net\.Listen\(|\.Serve\(/,
    /gin-gonic\/gin"[\s\S]*\.Run\(/,
    /labstack\/echo[\s\S]*\.Start\(/,
    /gofiber\/fiber[\s\S]*\.Listen\(/,
  ])
  if (!listens) return undefined
  const said = findPort(tree, folder, files, [
    /ListenAndServe(?:TLS)?\(\s*"[^":]*:(\d+)"/,
    /\bAddr:\s*"[^":]*:(\d+)"/,
    /net\.Listen\(\s*"tcp\d?",\s*"[^":]*:(\d+)"/,
    /\.(?:Run|Start|Listen)\(\s*"[^":]*:(\d+)"/,
    /\bport\w*\s*:?=\s*":?(\d{2,5})"/i,
    /"PORT",\s*":?(\d{2,5})"/,
    /\bport\w*\s*(?::?=|=\s*int\()\s*(\d{2,5})\b/i,
  ])
  // Gin has this port by itself
  return said ?? { number: 8080, proof: listens.proof, ...(/gin-gonic/.test(listens.match[0]) ? {} : { assumed: true }) }
}

/** Folders that programs read when they run, unless they are compiled in. */
function dataFolders(tree: SourceTree, root: string, program: string): readonly string[] {
  const names = ['templates', 'views', 'static', 'public', 'assets', 'web', 'migrations', 'config', 'configs']
  const embeds = sourceFiles(tree, root, ['.go']).some((path) => /^\/\/go:embed/m.test(tree.read(path) ?? ''))
  if (embeds || program !== root) return []
  return names.filter((name) =>
    tree.paths.some((path) => isWithin(path, inFolder(root, name)) && path !== inFolder(root, name) && !path.endsWith('.go')),
  )
}

interface Build {
  readonly version: string
  readonly manifests: readonly string[]
  readonly build: string
  readonly sources: string
  readonly cgo: boolean
  readonly port: Port | undefined
  readonly data: readonly string[]
}

function dockerfile({ bases }: Place, { version, manifests, build, sources, cgo, port, data }: Build): string {
  const folders = [...new Set(manifests.map((path) => path.slice(0, path.lastIndexOf('/') + 1)))]
  const filesOf = (folder: string): readonly string[] =>
    manifests.filter((path) => path.slice(0, path.lastIndexOf('/') + 1) === folder)
  const copied = data.map((name) => `cp -r ${name} /out/app/ && `).join('')
  const run: readonly Line[] = [
    'ENV HOME=/app',
    'COPY --from=build /out /',
    'WORKDIR /app',
    ...runs(['/app/server'], port?.number),
  ]
  return dockerfileOf([
    {
      lines: [
        `FROM ${bases.image('go', version)} AS base`,
        `ENV HOME=/app GOCACHE=${cache} GOFLAGS=-buildvcs=false CGO_ENABLED=${cgo ? 1 : 0}`,
        'WORKDIR /app',
      ],
    },
    {
      why: 'The modules: a layer of its own, which is used again until the files that name them change.',
      lines: [
        'FROM base AS dependencies',
        ...folders.map((folder) => `COPY ${filesOf(folder).join(' ')} ./${folder}`),
        'RUN go mod download',
      ],
    },
    {
      why: 'What devloop runs: saved files are synced into it, and compiled there.',
      lines: [
        'FROM dependencies AS dev',
        'COPY . .',
        `RUN umask 002 && ${build} && ${shareWithGroup()}`,
        ...runs(['/app/bin/server'], port?.number),
      ],
    },
    {
      lines: [
        'FROM dependencies AS build',
        'COPY . .',
        `RUN go build -trimpath -ldflags="-s -w" -o /out/app/server ${sources} && ${copied}chmod -R g=u /out/app`,
      ],
    },
    { lines: [`FROM ${bases.image(cgo ? 'cc' : 'static')} AS prod`, ...run] },
  ])
}
