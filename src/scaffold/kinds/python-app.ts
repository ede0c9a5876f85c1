// What a Python project runs: its framework, the module that holds the app, its port, and the commands.
import type { Finding, Place } from '../component.js'
import { findInFiles, findPort, sourceFiles, type Port } from '../find-text.js'
import { inFolder, pathWithin } from '../source-tree.js'
import { toolVersions, type Tool } from '../tools.js'
import type { PythonProject } from './python-manager.js'

export interface PythonApp {
  readonly finding: Finding
  readonly port: Port | undefined
  /** Program and arguments; the program is one of the environment's own. */
  readonly dev: readonly string[]
  /** The same on this machine, for `sh`, on the port that `$PORT` says. */
  readonly here: string
  readonly prod: readonly string[]
  /** What `prod` needs and the project does not have. */
  readonly tools: readonly Tool[]
  /** What `dev` needs and the project does not have. */
  readonly devTools: readonly Tool[]
  /** Runs in the container before the app, for `sh`. */
  readonly before?: string
  /** Whether the framework looks at its files itself. */
  readonly watchesItself: boolean
  readonly notes: readonly string[]
}

const standardPort = 8000

/** Names of files that programs begin with, in the order of their likelihood. */
const entryNames = ['main.py', 'app.py', 'server.py', 'api.py', 'worker.py', 'run.py', 'bot.py', 'consumer.py', '__main__.py']

/** Undefined when there is nothing to run, as in a library. */
export function pythonApp(place: Place, project: PythonProject): PythonApp | undefined {
  const { tree, folder } = place
  const names = new Set(project.libraries.map(({ name }) => name))
  const files = sourceFiles(tree, folder, ['.py'])
  const framework =
    django(place, files) ?? asgi(place, names, files) ?? flask(place, names, files) ?? streamlit(place, names, files)
  return framework ?? celery(place, names, files) ?? program(place, files)
}

function portOf({ tree, folder }: Place, files: readonly string[], proof: string, standard = standardPort): Port {
  return findPort(tree, folder, files, portPatterns) ?? { number: standard, proof }
}

const portPatterns = [
  /\.run\([^)]*\bport\s*=\s*(\d{2,5})/,
  /environ(?:\.get)?[([]\s*["']PORT["']\s*,\s*["']?(\d{2,5})/,
  /getenv\(\s*["']PORT["']\s*,\s*["']?(\d{2,5})/,
]

function django({ tree, folder, ...place }: Place, files: readonly string[]): PythonApp | undefined {
  const manage = inFolder(folder, 'manage.py')
  const settings = /DJANGO_SETTINGS_MODULE["'],\s*["']([\w.]+)["']/.exec(tree.read(manage) ?? '')?.[1]
  if (settings === undefined) return undefined
  const module = ['wsgi', 'asgi'].flatMap((kind) =>
    files.filter((path) => path.endsWith(`/${kind}.py`)).map((path) => ({ kind, name: moduleOf(path, folder) })),
  )[0]
  const port = portOf({ tree, folder, ...place }, [], manage)
  const listen = `0.0.0.0:${port.number}`
  const migrate = 'python manage.py migrate --noinput'
  return {
    finding: { what: `Django, settings ${settings}`, proof: manage },
    port,
    dev: ['python', 'manage.py', 'runserver', listen],
    here: 'python manage.py runserver "127.0.0.1:$PORT"',
    before: migrate,
    prod: module
      ? [
          ...gunicorn(port),
          ...(module.kind === 'asgi' ? ['-k', 'uvicorn.workers.UvicornWorker'] : []),
          `${module.name}:application`,
        ]
      : ['python', 'manage.py', 'runserver', '--noreload', listen],
    tools: module?.kind === 'asgi' ? ['gunicorn', 'uvicorn'] : ['gunicorn'],
    devTools: [],
    watchesItself: true,
    notes: [],
  }
}

function asgi(place: Place, names: ReadonlySet<string>, files: readonly string[]): PythonApp | undefined {
  const title = names.has('fastapi')
    ? 'FastAPI'
    : names.has('litestar')
      ? 'Litestar'
      : names.has('starlette')
        ? 'Starlette'
        : undefined
  if (title === undefined) return undefined
  const found =
    findInFiles(place.tree, nearestFirst(files), [
      new RegExp(`^(\\w+)(?:\\s*:\\s*[\\w.]+)?\\s*=\\s*(?:\\w+\\.)?${title}\\(`, 'm'),
    ]) ??
    findInFiles(place.tree, nearestFirst(files), [new RegExp(`^def (\\w+)\\([^)]*\\)\\s*->\\s*(?:\\w+\\.)?${title}\\b`, 'm')])
  if (!found) return undefined
  const isFactory = found.match[0].startsWith('def ')
  const target = `${moduleOf(found.proof, place.folder)}:${found.match[1]}`
  const port = portOf(place, files, found.proof)
  const command = ['uvicorn', ...(isFactory ? ['--factory'] : []), target]
  const missing: readonly Tool[] = names.has('uvicorn') || names.has('standard') ? [] : ['uvicorn']
  return {
    finding: { what: `${title}: ${target}`, proof: found.proof },
    port,
    dev: [...command, '--host', '0.0.0.0', '--port', String(port.number)],
    here: `${command.join(' ')} --port "$PORT"`,
    prod: [...command, '--host', '0.0.0.0', '--port', String(port.number)],
    tools: missing,
    devTools: missing,
    watchesItself: false,
    notes: missing.map(missingNote),
  }
}

function flask(place: Place, names: ReadonlySet<string>, files: readonly string[]): PythonApp | undefined {
  if (!names.has('flask')) return undefined
  const found =
    findInFiles(place.tree, nearestFirst(files), [/^(\w+)(?:\s*:\s*[\w.]+)?\s*=\s*(?:flask\.)?Flask\(/m]) ??
    findInFiles(place.tree, nearestFirst(files), [/^def (create_app|make_app|app_factory|build_app)\(/m])
  if (!found) return undefined
  const [module, name, isFactory] = [
    moduleOf(found.proof, place.folder),
    found.match[1] ?? 'app',
    found.match[0].startsWith('def '),
  ]
  const port = portOf(place, files, found.proof)
  // its own reloader looks once a second, and its debugger runs what anybody sends who reaches the port
  const command = ['flask', '--app', `${module}:${name}`, 'run', '--debug', '--no-reload', '--no-debugger']
  const missing: readonly Tool[] = names.has('gunicorn') ? [] : ['gunicorn']
  return {
    finding: { what: `Flask: ${module}:${name}`, proof: found.proof },
    port,
    dev: [...command, '--host', '0.0.0.0', '--port', String(port.number)],
    here: `${command.join(' ')} --port "$PORT"`,
    prod: [...gunicorn(port), `${module}:${name}${isFactory ? '()' : ''}`],
    tools: missing,
    devTools: [],
    watchesItself: false,
    notes: missing.map(missingNote),
  }
}

function streamlit(place: Place, names: ReadonlySet<string>, files: readonly string[]): PythonApp | undefined {
  if (!names.has('streamlit')) return undefined
  const found = findInFiles(place.tree, nearestFirst(files), [/^import streamlit|^from streamlit/m])
  if (!found) return undefined
  const port = portOf(place, [], found.proof, 8501)
  const command = ['streamlit', 'run', pathWithin(found.proof, place.folder), '--server.headless', 'true']
  const dev = [...command, '--server.address', '0.0.0.0', '--server.port', String(port.number)]
  return {
    finding: { what: 'Streamlit', proof: found.proof },
    port,
    dev,
    here: `${command.join(' ')} --server.port "$PORT"`,
    prod: dev,
    tools: [],
    devTools: [],
    watchesItself: true,
    notes: [],
  }
}

function celery(place: Place, names: ReadonlySet<string>, files: readonly string[]): PythonApp | undefined {
  if (!names.has('celery')) return undefined
  const found = findInFiles(place.tree, nearestFirst(files), [/^(\w+)\s*=\s*(?:celery\.)?Celery\(/m])
  if (!found) return undefined
  const command = ['celery', '-A', `${moduleOf(found.proof, place.folder)}:${found.match[1]}`, 'worker', '--loglevel', 'info']
  return {
    finding: { what: 'Celery worker', proof: found.proof },
    port: undefined,
    dev: command,
    here: command.join(' '),
    prod: command,
    tools: [],
    devTools: [],
    watchesItself: false,
    notes: [],
  }
}

/** A file that is run as it is: a server without a framework, or a worker. */
function program(place: Place, files: readonly string[]): PythonApp | undefined {
  const { tree, folder, ask } = place
  const isEntry = (path: string): boolean => {
    const name = path.slice(path.lastIndexOf('/') + 1)
    return entryNames.includes(name) || /^if __name__ == ["']__main__["']/m.test(tree.read(path) ?? '')
  }
  const candidates = nearestFirst(files).filter(isEntry)
  const [best] = candidates
  if (best === undefined) return undefined
  const rank = (path: string): number => depthOf(path)
  const equal = candidates.filter((path) => rank(path) === rank(best))
  const named = equal.filter((path) => entryNames.includes(path.slice(path.lastIndexOf('/') + 1)))
  const choices = named.length > 0 ? named : equal
  const entry =
    choices.length === 1
      ? (choices[0] as string)
      : ask({
          id: inFolder(folder, 'entry'),
          message: `Which file of ${folder || 'the project'} starts the app?`,
          choices: choices.map((path) => ({ value: path, label: path })),
          fallback: choices[0] as string,
        })
  const path = pathWithin(entry, folder)
  // a package with a __main__ is run by its name, so that its imports work
  const command = path.endsWith('/__main__.py')
    ? ['python', '-m', moduleOf(entry, folder).replace(/\.__main__$/, '')]
    : ['python', path]
  return {
    finding: { what: `starts with ${path}`, proof: entry },
    port: serverPort(place, entry, files),
    dev: command,
    here: command.join(' '),
    prod: command,
    tools: [],
    devTools: [],
    watchesItself: false,
    notes: [],
  }
}

/** The port of a server that is written by hand; undefined where nothing listens. */
function serverPort({ tree, folder }: Place, entry: string, files: readonly string[]): Port | undefined {
  const searched = [entry, ...files.filter((path) => path !== entry)]
  const listens = findInFiles(tree, searched, [
    /(?:HTTPServer|TCPServer|start_server|create_server|make_server|run_app|WSGIServer)\(/,
    /\.(?:listen|bind|add_insecure_port)\(/,
    /\buvicorn\.run\(|\bserve\(\s*app\b/,
  ])
  if (!listens) return undefined
  const said = findPort(tree, folder, searched, [
    ...portPatterns,
    /(?:Server|_server|listen|bind|serve|run_app)\(\s*\(?[^()]*?["'][^"']*["']\s*,\s*(\d{2,5})\b/,
    /add_insecure_port\(\s*["'][^"']*:(\d{2,5})["']/,
    /\bport\s*=\s*(\d{2,5})\b/i,
    /\.listen\(\s*(\d{2,5})/,
  ])
  return said ?? { number: standardPort, proof: listens.proof, assumed: true }
}

const gunicorn = ({ number }: Port): readonly string[] => ['gunicorn', '--bind', `0.0.0.0:${number}`]

const missingNote = (tool: Tool): string =>
  `It does not depend on ${tool}, which serves it: the Dockerfile installs ${toolVersions[tool]}. Add it to the project to choose the version.`

/** The name by which a file is imported: folders named `src` are on Python's path. */
const moduleOf = (path: string, folder: string): string =>
  pathWithin(path, folder)
    .replace(/^src\//, '')
    .replace(/(\/__init__)?\.py$/, '')
    .replaceAll('/', '.')

/** Files nearest to the folder first, and of these the ones with names that programs begin with. */
function nearestFirst(files: readonly string[]): readonly string[] {
  const rank = (path: string): number => {
    const place = entryNames.indexOf(path.slice(path.lastIndexOf('/') + 1))
    return depthOf(path) * 100 + (place < 0 ? entryNames.length : place)
  }
  return [...files].sort((a, b) => rank(a) - rank(b))
}

/** `src` does not count. */
const depthOf = (path: string): number => path.split('/').filter((part) => part !== 'src').length
