// Who installs a Python project's dependencies: pip, uv, Poetry or Pipenv, told by the files that are there.
import type { Finding, Library, Place } from '../component.js'
import { at, keysAt, parseToml, textAt, textsAt } from '../read-data.js'
import { inFolder, type SourceTree } from '../source-tree.js'
import { pinned, type Tool } from '../tools.js'
import { versionFor } from '../versions.js'

/** Where the dependencies are in the image: outside of the sources, so that a saved file never meets them. */
export const environment = '/opt/venv'

export interface PythonProject {
  readonly manager: 'pip' | 'uv' | 'Poetry' | 'Pipenv' | undefined
  readonly finding: Finding | undefined
  /** Names in the folder that decide what is installed. */
  readonly files: readonly string[]
  /** Whether the files of `files` name the sources themselves, as `-e .` does. */
  readonly needsSources: boolean
  /** Shell commands of the image, as root: once, for the app itself, and for what development needs beside it. */
  readonly setup: string | undefined
  readonly install: string | undefined
  readonly installForDevelopment: string | undefined
  /** Variables that the commands need. */
  readonly env: readonly string[]
  /** Makes `.venv` on this machine. */
  readonly prepare: string
  readonly libraries: readonly Library[]
  readonly version: { readonly number: string; readonly proof: string | undefined }
}

/** The files that each folder of a Python project may have. */
export const pythonManifests = ['pyproject.toml', 'requirements.txt', 'Pipfile', 'manage.py', 'setup.py'] as const

const developmentFiles = ['requirements-dev.txt', 'dev-requirements.txt', 'requirements_dev.txt']

/** What a folder's files say. `manager` is undefined where they name no dependencies. */
export function pythonProject({ tree, folder, bases }: Place): PythonProject {
  const path = (name: string): string => inFolder(folder, name)
  const has = (name: string): boolean => tree.has(path(name))
  const pyproject = parseToml(tree.read(path('pyproject.toml')))
  const isPoetry = at(pyproject, 'tool', 'poetry', 'dependencies') !== undefined || has('poetry.lock')
  const common = {
    needsSources: false,
    setup: undefined,
    installForDevelopment: undefined,
    version: pythonVersion(tree, folder, pyproject, bases.defaultVersion('python')),
  }
  if (has('uv.lock') && pyproject !== undefined) {
    const sync = '/opt/uv/bin/uv sync --frozen --no-install-project --no-cache'
    return {
      ...common,
      manager: 'uv',
      finding: { what: 'uv', proof: path('uv.lock') },
      files: ['pyproject.toml', 'uv.lock'],
      setup: ownTool('uv'),
      install: `${sync} --no-dev`,
      installForDevelopment: sync,
      env: [`UV_PROJECT_ENVIRONMENT=${environment}`, 'UV_PYTHON_DOWNLOADS=never', 'UV_LINK_MODE=copy', 'UV_SYSTEM_CERTS=1'],
      prepare: 'uv sync --frozen --no-install-project',
      libraries: projectLibraries(pyproject, path('pyproject.toml')),
    }
  }
  if (isPoetry && pyproject !== undefined) {
    const poetry = '/opt/poetry/bin/poetry install --no-root --no-interaction --no-cache'
    const locked = has('poetry.lock')
    return {
      ...common,
      manager: 'Poetry',
      finding: { what: locked ? 'Poetry' : 'Poetry, without a lockfile', proof: path(locked ? 'poetry.lock' : 'pyproject.toml') },
      files: ['pyproject.toml', ...(locked ? ['poetry.lock'] : [])],
      setup: ownTool('poetry'),
      install: `${poetry} --only main`,
      installForDevelopment: poetry,
      env: [],
      prepare: 'POETRY_VIRTUALENVS_IN_PROJECT=1 poetry install --no-root --no-interaction',
      libraries: [
        ...libraries(keysAt(pyproject, 'tool', 'poetry', 'dependencies'), path('pyproject.toml')),
        ...projectLibraries(pyproject, path('pyproject.toml')),
      ],
    }
  }
  if (has('Pipfile')) {
    const pipfile = parseToml(tree.read(path('Pipfile')))
    const locked = has('Pipfile.lock')
    const pipenv = `/opt/pipenv/bin/pipenv ${locked ? 'sync' : 'install --skip-lock'}`
    return {
      ...common,
      manager: 'Pipenv',
      finding: { what: locked ? 'Pipenv' : 'Pipenv, without a lockfile', proof: path(locked ? 'Pipfile.lock' : 'Pipfile') },
      files: ['Pipfile', ...(locked ? ['Pipfile.lock'] : [])],
      setup: ownTool('pipenv'),
      install: pipenv,
      installForDevelopment: keysAt(pipfile, 'dev-packages').length > 0 ? `${pipenv} --dev` : undefined,
      env: ['PIPENV_VERBOSITY=-1', 'PIP_NO_CACHE_DIR=1'],
      prepare: `PIPENV_VENV_IN_PROJECT=1 pipenv ${locked ? 'sync' : 'install --skip-lock'}`,
      libraries: keysAt(pipfile, 'packages').flatMap((name) =>
        libraries([name, ...textsAt(pipfile, 'packages', name, 'extras')], path('Pipfile')),
      ),
      ...versionOfPipfile(common.version, pipfile, path('Pipfile')),
    }
  }
  if (has('requirements.txt')) {
    const files = requirementFiles(tree, folder, 'requirements.txt')
    const development = developmentFiles.find(has)
    const lines = files.flatMap((name) => requirements(tree.read(path(name))).map((line) => ({ line, proof: path(name) })))
    return {
      ...common,
      manager: 'pip',
      finding: { what: 'pip', proof: path('requirements.txt') },
      files: [...new Set([...files, ...(development === undefined ? [] : requirementFiles(tree, folder, development))])],
      needsSources: lines.some(({ line }) => /^(-e\s+|--editable[= ])?\.(\/|\[|$)/.test(line)),
      install: 'pip install --no-cache-dir -r requirements.txt',
      installForDevelopment: development === undefined ? undefined : `pip install --no-cache-dir -r ${development}`,
      env: [],
      prepare: 'python3 -m venv .venv && .venv/bin/pip install -r requirements.txt',
      libraries: lines.flatMap(({ line, proof }) => libraries([line], proof)),
    }
  }
  const own = textsAt(pyproject, 'project', 'dependencies')
  if (own.length > 0)
    return {
      ...common,
      manager: 'uv',
      finding: { what: 'dependencies without a lockfile', proof: path('pyproject.toml') },
      files: ['pyproject.toml'],
      setup: ownTool('uv'),
      install: '/opt/uv/bin/uv pip install --no-cache -r pyproject.toml',
      env: ['UV_LINK_MODE=copy', 'UV_SYSTEM_CERTS=1'],
      prepare: 'uv venv --allow-existing .venv && uv pip install -r pyproject.toml',
      libraries: projectLibraries(pyproject, path('pyproject.toml')),
    }
  return {
    ...common,
    manager: undefined,
    finding: undefined,
    files: [],
    install: undefined,
    env: [],
    prepare: 'python3 -m venv .venv',
    libraries: [],
  }
}

/** A tool in an environment of its own, so that it is no part of the app's. */
const ownTool = (tool: Tool): string =>
  `python3 -m venv /opt/${tool} && /opt/${tool}/bin/pip install --no-cache-dir ${pinned(tool)}`

const projectLibraries = (pyproject: unknown, proof: string): readonly Library[] =>
  libraries(textsAt(pyproject, 'project', 'dependencies'), proof)

/**
 * Requirements such as `celery[redis]>=5` as names: `celery` and its extra `redis`, which often is a client's name.
 */
const libraries = (requirements: readonly string[], proof: string): readonly Library[] =>
  requirements.flatMap((line) => {
    const [, name, extras] = /^([A-Za-z0-9][\w.-]*)\s*(?:\[([^\]]*)\])?/.exec(line) ?? []
    if (name === undefined || name === 'python') return []
    return [name, ...(extras?.split(',') ?? [])].map((one) => ({ name: one.trim().toLowerCase().replace(/[_.]+/g, '-'), proof }))
  })

/** Lines of a requirements file that are requirements. */
const requirements = (text: string | undefined): readonly string[] =>
  (text ?? '')
    .split(/\r?\n/)
    .map((line) => line.replace(/(^|\s)#.*$/, '').trim())
    .filter((line) => line !== '')

/** A requirements file, and those that it includes, relative to the folder. */
function requirementFiles(tree: SourceTree, folder: string, first: string): readonly string[] {
  const found: string[] = []
  const visit = (name: string): void => {
    if (found.includes(name) || !tree.has(inFolder(folder, name))) return
    found.push(name)
    const place = name.includes('/') ? `${name.slice(0, name.lastIndexOf('/'))}/` : ''
    for (const line of requirements(tree.read(inFolder(folder, name)))) {
      const included = /^(?:-r|-c|--requirement|--constraint)[= ]?\s*(\S+)/.exec(line)?.[1]
      if (included !== undefined && !included.startsWith('..')) visit(place + included.replace(/^\.\//, ''))
    }
  }
  visit(first)
  return found
}

function pythonVersion(tree: SourceTree, folder: string, pyproject: unknown, standard: string): PythonProject['version'] {
  const asked: readonly (readonly [name: string, text: string | undefined])[] = [
    ['.python-version', /^\d[\d.]*/m.exec(tree.read(inFolder(folder, '.python-version')) ?? '')?.[0]],
    ['runtime.txt', /^python-(\S+)/m.exec(tree.read(inFolder(folder, 'runtime.txt')) ?? '')?.[1]],
    [
      'pyproject.toml',
      textAt(pyproject, 'project', 'requires-python') ?? textAt(pyproject, 'tool', 'poetry', 'dependencies', 'python'),
    ],
  ]
  for (const [name, text] of asked) {
    const number = text === undefined ? undefined : versionFor(text, standard, 2)
    if (number?.includes('.')) return { number, proof: inFolder(folder, name) }
  }
  return { number: standard, proof: undefined }
}

function versionOfPipfile(
  known: PythonProject['version'],
  pipfile: unknown,
  proof: string,
): { readonly version: PythonProject['version'] } {
  const number = textAt(pipfile, 'requires', 'python_version')
  return { version: known.proof === undefined && number !== undefined ? { number, proof } : known }
}
