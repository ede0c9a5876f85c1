// Python projects: Django, FastAPI, Flask and other apps, workers, and plain programs.
import type { Detector, Found, LiveLine, Place } from '../component.js'
import { dockerfileOf, runs, shareWithGroup, type Line } from '../dockerfile-text.js'
import { folderAbove, inFolder } from '../source-tree.js'
import { pinned, type Tool } from '../tools.js'
import { pythonApp, type PythonApp } from './python-app.js'
import { environment, pythonManifests, pythonProject, type PythonProject } from './python-manager.js'

export const python: Detector = (place) => {
  const { tree, folder } = place
  const manifest = pythonManifests.find((name) => tree.has(inFolder(folder, name)))
  if (manifest === undefined && (isBelowProject(place) || !hasProgram(place))) return []
  const project = pythonProject(place)
  const app = pythonApp(place, project)
  if (!app) return []
  const version = project.version.number
  const proof = project.version.proof ?? project.finding?.proof ?? app.finding.proof
  return [
    {
      kind: 'python',
      findings: [
        {
          what: project.version.proof === undefined ? `Python (${version}, as nothing names a version)` : `Python ${version}`,
          proof,
        },
        ...(project.finding ? [project.finding] : []),
        app.finding,
      ],
      notes: app.notes,
      dockerfile: { text: dockerfile(place, project, app) },
      ignore: [
        '**/__pycache__',
        '**/*.py[co]',
        '.venv',
        'venv',
        '.tox',
        '.pytest_cache',
        '.mypy_cache',
        '.ruff_cache',
        '*.egg-info',
      ],
      live: liveOf(project, app),
      ...(app.port ? { port: app.port } : {}),
      process: {
        prepare: prepareOf(project, app),
        command: ['sh', '-c', `${app.before ? `${inVenv(app.before)} && ` : ''}exec ${inVenv(app.here)}`],
      },
      libraries: project.libraries,
    } satisfies Found,
  ]
}

/** Whether a folder above is the project that this folder is a package of. */
function isBelowProject({ tree, folder }: Place): boolean {
  for (let above = folderAbove(folder); above !== undefined; above = folderAbove(above))
    if (pythonManifests.some((name) => tree.has(inFolder(above, name))) || tree.has(inFolder(above, 'main.py'))) return true
  return false
}

/** Without a manifest, only a program that says so counts: folders of scripts have many files. */
const hasProgram = ({ tree, folder }: Place): boolean =>
  !/(^|\/)(scripts?|tools?|hack|docs?|examples?|tests?|migrations|bin|ci)(\/|$)/.test(folder) &&
  ['main.py', 'app.py', 'server.py', 'worker.py'].some((name) => {
    const text = tree.read(inFolder(folder, name))
    return text !== undefined && /^if __name__ == ["']__main__["']/m.test(text)
  })

function liveOf({ files }: PythonProject, { watchesItself, before }: PythonApp): readonly LiveLine[] {
  return [
    ...(files.length > 0 ? [{ rule: 'rebuildOn', paths: files } as const] : []),
    { rule: 'sync', from: '.', to: '/app' },
    // on this machine its programs are in .venv
    ...(before === undefined
      ? []
      : [{ rule: 'run', command: `PATH=.venv/bin:$PATH ${before}`, on: ['**/migrations/*.py'] } as const]),
    // templates are read again at each request
    ...(watchesItself ? [] : [{ rule: 'restart', on: ['**/*.py', '**/*.{json,yaml,yml,toml,ini,cfg}'] } as const]),
  ]
}

const inVenv = (command: string): string => `.venv/bin/${command}`

/** What the project does not have is put beside, as in the image. */
const prepareOf = ({ prepare }: PythonProject, { devTools }: PythonApp): string =>
  [prepare, ...devTools.map((tool) => `.venv/bin/python -m pip install ${pinned(tool)}`)].join(' && ')

function dockerfile({ bases, tree, folder }: Place, project: PythonProject, app: PythonApp): string {
  const paths = tree.folders.includes(inFolder(folder, 'src')) ? '/app/src:/app' : '/app'
  const env = [
    'HOME=/app',
    `VIRTUAL_ENV=${environment}`,
    `PATH=${environment}/bin:$PATH`,
    `PYTHONPATH=${paths}`,
    'PYTHONUNBUFFERED=1',
    'PYTHONDONTWRITEBYTECODE=1',
  ]
  const install = (command: string | undefined): Line => (command === undefined ? undefined : `RUN ${command}`)
  const tools = (missing: readonly Tool[]): Line =>
    missing.length === 0 ? undefined : `RUN pip install --no-cache-dir ${missing.map(pinned).join(' ')}`
  const dev = app.before === undefined ? app.dev : ['sh', '-c', `${app.before} && exec ${app.dev.join(' ')}`]
  return dockerfileOf([
    { lines: [`FROM ${bases.image('python', project.version.number)} AS base`, `ENV ${env.join(' ')}`, 'WORKDIR /app'] },
    {
      why: 'What the app depends on: a layer of its own, which is used again until the files that name it change.',
      lines: [
        'FROM base AS dependencies',
        `RUN python3 -m venv ${environment}`,
        install(project.setup),
        project.env.length > 0 ? `ENV ${project.env.join(' ')}` : undefined,
        ...(project.needsSources ? ['COPY . .'] : copies(project.files)),
        install(project.install),
      ],
    },
    {
      why: 'What devloop runs: saved files are synced into it.',
      lines: [
        'FROM dependencies AS dev',
        install(project.installForDevelopment),
        tools(app.devTools),
        'COPY . .',
        `RUN ${shareWithGroup()}`,
        ...runs(dev, app.port?.number),
      ],
    },
    {
      lines: [
        'FROM base AS prod',
        `COPY --from=dependencies ${environment} ${environment}`,
        tools(app.tools.filter((tool) => !project.libraries.some(({ name }) => name === tool))),
        'COPY . .',
        `RUN ${shareWithGroup()}`,
        ...runs(app.prod, app.port?.number),
      ],
    },
  ])
}

/** `COPY` lines that keep the folders of files. */
function copies(files: readonly string[]): readonly Line[] {
  const folders = [...new Set(files.map((path) => path.slice(0, path.lastIndexOf('/') + 1)))].sort()
  return folders.map(
    (folder) => `COPY ${files.filter((path) => path.slice(0, path.lastIndexOf('/') + 1) === folder).join(' ')} ./${folder}`,
  )
}
