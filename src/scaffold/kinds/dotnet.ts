// .NET projects that are web apps or workers, with the projects that they refer to.
import { posix } from 'node:path'
import type { Detector, Found, Library } from '../component.js'
import { dockerfileOf, runs, shareWithGroup, type Line } from '../dockerfile-text.js'
import { keysAt, listAt, parseJson, parseXml, textAt } from '../read-data.js'
import { folderAbove, inFolder, isWithin, pathWithin, type SourceTree } from '../source-tree.js'
import { versionFor } from '../versions.js'

const port = 8080

export const dotnet: Detector = ({ tree, folder, bases }) => {
  const file = tree.files(folder).find((name) => /\.(cs|fs|vb)proj$/.test(name))
  const own = file === undefined ? undefined : readProject(tree, inFolder(folder, file))
  if (!own || !own.runs) return []
  const used = usedProjects(tree, own)
  const root = commonFolder(used.map(({ path }) => folderAbove(path) ?? ''))
  const standard = bases.defaultVersion('dotnet')
  const version = own.framework === undefined ? standard : (versionFor(own.framework, standard, 2) ?? standard)
  const at = (path: string): string => pathWithin(path, root)
  const settings = [
    'global.json',
    'nuget.config',
    'NuGet.config',
    'Directory.Build.props',
    'Directory.Build.targets',
    'Directory.Packages.props',
  ].filter((name) => tree.has(inFolder(root, name)))
  const locks = used.map(({ path }) => inFolder(folderAbove(path) ?? '', 'packages.lock.json')).filter((path) => tree.has(path))
  const manifests = [...used.map(({ path }) => at(path)), ...locks.map(at), ...settings]
  const connections = inFolder(folder, 'appsettings.json')
  return [
    {
      name: own.name,
      kind: 'dotnet',
      findings: [
        {
          what: own.framework === undefined ? `.NET (${version}, as nothing names a version)` : `.NET ${version}`,
          proof: own.path,
        },
        { what: own.isWeb ? 'ASP.NET Core' : 'worker', proof: own.path },
      ],
      notes: [],
      context: root,
      dockerfile: {
        text: dockerfile({
          project: at(own.path),
          assembly: own.assembly,
          manifests,
          locked: locks.length > 0,
          isWeb: own.isWeb,
          images: { sdk: bases.image('dotnet', version), run: bases.image('dotnet-run', version) },
        }),
      },
      ignore: ['**/bin', '**/obj', '.vs', '**/TestResults'],
      // dotnet watch sees the files itself, and puts them into the running program or starts it again
      live: [
        { rule: 'rebuildOn', paths: manifests },
        { rule: 'sync', from: '.', to: '/app' },
      ],
      ...(own.isWeb ? { port: { number: port, proof: own.path } } : {}),
      process: {
        prepare: `dotnet restore ${at(own.path)}`,
        command: [
          'sh',
          '-c',
          `${own.isWeb ? 'ASPNETCORE_URLS="http://127.0.0.1:$PORT" ' : ''}exec dotnet watch --non-interactive --project ${at(own.path)} run --no-launch-profile`,
        ],
      },
      libraries: used.flatMap(({ libraries }) => libraries),
      variables: keysAt(parseJson(tree.read(connections)), 'ConnectionStrings').map((name) => ({
        name: `ConnectionStrings__${name}`,
        proof: connections,
      })),
    } satisfies Found,
  ]
}

interface Project {
  readonly path: string
  readonly name: string
  readonly assembly: string
  readonly isWeb: boolean
  readonly runs: boolean
  readonly framework: string | undefined
  readonly libraries: readonly Library[]
  readonly references: readonly string[]
}

function readProject(tree: SourceTree, path: string): Project | undefined {
  const xml = parseXml(tree.read(path))
  const sdk = textAt(xml, 'Project', '@Sdk')
  if (sdk === undefined) return undefined
  const groups = listAt(xml, 'Project', 'PropertyGroup')
  const property = (name: string): string | undefined =>
    groups.map((group) => textAt(group, name)).find((value) => value !== undefined)
  const items = (name: string): readonly string[] =>
    listAt(xml, 'Project', 'ItemGroup').flatMap((group) => listAt(group, name).flatMap((item) => textAt(item, '@Include') ?? []))
  const name = path.slice(path.lastIndexOf('/') + 1).replace(/\.\w+proj$/, '')
  const isWeb = sdk.startsWith('Microsoft.NET.Sdk.Web')
  const libraries = items('PackageReference')
  const isTest = libraries.some((one) => one === 'Microsoft.NET.Test.Sdk')
  return {
    path,
    name,
    assembly: property('AssemblyName') ?? name,
    isWeb,
    runs: !isTest && (isWeb || sdk.startsWith('Microsoft.NET.Sdk.Worker')),
    framework: /^net(?:coreapp)?(\d+\.\d+)/.exec(property('TargetFramework') ?? property('TargetFrameworks') ?? '')?.[1],
    libraries: libraries.map((one) => ({ name: one, proof: path })),
    references: items('ProjectReference').map((one) =>
      posix.join(`/${folderAbove(path) ?? ''}`, one.replaceAll('\\', '/')).slice(1),
    ),
  }
}

/** A project and those that it refers to, itself first. */
function usedProjects(tree: SourceTree, own: Project): readonly Project[] {
  const used: Project[] = [own]
  for (const one of used)
    for (const path of one.references) {
      const other = used.some((known) => known.path === path) ? undefined : readProject(tree, path)
      if (other) used.push(other)
    }
  return used
}

/** The lowest folder that all of these lie in. */
function commonFolder(folders: readonly string[]): string {
  let common = folders[0] ?? ''
  while (!folders.every((one) => isWithin(one, common))) common = folderAbove(common) ?? ''
  return common
}

interface Build {
  readonly project: string
  readonly assembly: string
  readonly manifests: readonly string[]
  readonly locked: boolean
  readonly isWeb: boolean
  readonly images: { readonly sdk: string; readonly run: string }
}

function dockerfile({ project, assembly, manifests, locked, isWeb, images }: Build): string {
  const folders = [...new Set(manifests.map((path) => path.slice(0, path.lastIndexOf('/') + 1)))].sort()
  const filesOf = (folder: string): readonly string[] =>
    manifests.filter((path) => path.slice(0, path.lastIndexOf('/') + 1) === folder)
  const listen = isWeb ? [`ASPNETCORE_HTTP_PORTS=${port}`] : []
  const env = (environment: string): Line =>
    `ENV ${[`DOTNET_ENVIRONMENT=${environment}`, ...(isWeb ? [`ASPNETCORE_ENVIRONMENT=${environment}`] : []), ...listen].join(' ')}`
  const exposed = isWeb ? port : undefined
  return dockerfileOf([
    {
      lines: [
        `FROM ${images.sdk} AS base`,
        'ENV HOME=/app DOTNET_CLI_HOME=/app NUGET_PACKAGES=/opt/nuget DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_GENERATE_ASPNET_CERTIFICATE=false',
        'WORKDIR /app',
      ],
    },
    {
      why: 'The packages: a layer of its own, which is used again until the files that name them change.',
      lines: [
        'FROM base AS dependencies',
        ...folders.map((folder) => `COPY ${filesOf(folder).join(' ')} ./${folder}`),
        `RUN umask 002 && dotnet restore ${project}${locked ? ' --locked-mode' : ''}`,
      ],
    },
    {
      why: 'What devloop runs: saved files are synced into it, and dotnet watch takes them up.',
      lines: [
        'FROM dependencies AS dev',
        'COPY . .',
        `RUN umask 002 && dotnet build --no-restore ${project} && ${shareWithGroup()}`,
        env('Development'),
        ...runs(['dotnet', 'watch', '--non-interactive', '--project', project, 'run', '--no-launch-profile'], exposed),
      ],
    },
    {
      lines: [
        'FROM dependencies AS build',
        'COPY . .',
        `RUN dotnet publish ${project} --no-restore --configuration Release --output /out && chmod -R g=u /out`,
      ],
    },
    {
      lines: [
        `FROM ${images.run} AS prod`,
        'WORKDIR /app',
        'COPY --from=build /out ./',
        'RUN chmod g=u .',
        `ENV HOME=/app${listen.length > 0 ? ` ${listen.join(' ')}` : ''}`,
        ...runs(['dotnet', `${assembly}.dll`], exposed),
      ],
    },
  ])
}
