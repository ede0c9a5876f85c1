// What a package.json says, and the commands in its scripts.
import type { SourceTree } from '../source-tree.js'
import { inFolder } from '../source-tree.js'

export interface Package {
  /** Folder that it is in. */
  readonly folder: string
  /** Path of the package.json. */
  readonly path: string
  readonly name: string | undefined
  readonly scripts: Readonly<Record<string, string>>
  /** Names of all that it depends on, also for development. */
  readonly dependencies: ReadonlySet<string>
  /** Names of what it depends on when it runs. */
  readonly runtimeDependencies: readonly string[]
  readonly main: string | undefined
  /** `name@version`, such as `pnpm@9.1.0`. */
  readonly packageManager: string | undefined
  /** The range of Node.js versions. */
  readonly engine: string | undefined
  /** Patterns of the folders of its workspaces; undefined when it has none. */
  readonly workspaces: readonly string[] | undefined
}

/** The package.json in a folder; undefined where there is none that can be read. */
export function readPackage(tree: SourceTree, folder: string): Package | undefined {
  const path = inFolder(folder, 'package.json')
  const json = object(parseJson(tree.read(path)))
  if (!json) return undefined
  const names = (key: string): string[] => Object.keys(object(json[key]) ?? {})
  const list = Array.isArray(json.workspaces) ? json.workspaces : object(json.workspaces)?.packages
  const runtimeDependencies = names('dependencies')
  return {
    folder,
    path,
    name: text(json.name),
    scripts: Object.fromEntries(
      Object.entries(object(json.scripts) ?? {}).filter(([, value]) => typeof value === 'string'),
    ) as Record<string, string>,
    dependencies: new Set([...runtimeDependencies, ...names('devDependencies'), ...names('optionalDependencies')]),
    runtimeDependencies,
    main: text(json.main)?.replace(/^\.\//, ''),
    packageManager: text(json.packageManager),
    engine: text(object(json.engines)?.node) ?? text(object(json.volta)?.node),
    workspaces: Array.isArray(list) ? list.filter((one) => typeof one === 'string') : undefined,
  }
}

function parseJson(source: string | undefined): unknown {
  try {
    return source === undefined ? undefined : JSON.parse(source)
  } catch {
    return undefined
  }
}

const object = (value: unknown): Readonly<Record<string, unknown>> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined
const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)

/** A command of a script, ready to be run without a package manager around it, which would keep signals from it. */
export interface ScriptCommand {
  readonly argv: readonly string[]
  /** Variables that stood before it. */
  readonly env: Readonly<Record<string, string>>
  /** Names of the scripts that led to it, such as `start`, `start:prod`. */
  readonly scripts: readonly string[]
}

/** What a script runs in the end. Scripts that only call other scripts are followed; what needs a shell gets one. */
export function scriptCommand({ scripts }: Package, name: string): ScriptCommand | undefined {
  const seen: string[] = []
  let env: Readonly<Record<string, string>> = {}
  for (let at = name; ;) {
    const script = Object.hasOwn(scripts, at) ? scripts[at]?.trim() : undefined
    if (!script || seen.includes(at)) return undefined
    seen.push(at)
    const plain = plainCommand(script)
    if (!plain) return { argv: ['sh', '-c', lastReplacesShell(script)], env, scripts: seen }
    env = { ...env, ...plain.env }
    const next = calledScript(plain.argv)
    if (next === undefined) return { argv: plain.argv, env, scripts: seen }
    at = next
  }
}

/** Words and variables of a command that needs no shell. */
function plainCommand(script: string): { argv: readonly string[]; env: Readonly<Record<string, string>> } | undefined {
  if (/[|&;<>$`()*?[\]{}~#\\\n]/.test(script)) return undefined
  const words = [...script.matchAll(/"([^"]*)"|'([^']*)'|([^\s"']+)/g)]
  if (words.map(([word]) => word).join('') !== script.replace(/\s+(?=(?:[^"']|"[^"]*"|'[^']*')*$)/g, '')) return undefined
  const argv = words.map(([, double, single, bare]) => double ?? single ?? bare ?? '')
  const env: Record<string, string> = {}
  while (/^(cross-env|cross-env-shell)$/.test(argv[0] ?? '')) argv.shift()
  for (;;) {
    const [, name, value] = /^([A-Za-z_]\w*)=(.*)$/.exec(argv[0] ?? '') ?? []
    if (name === undefined) break
    env[name] = value ?? ''
    argv.shift()
  }
  if (argv[0] === 'npx' && argv[1] && !argv[1].startsWith('-')) argv.shift()
  return argv.length > 0 ? { argv, env } : undefined
}

/** The script that a command runs and nothing else: `npm run dev`, `yarn dev`. */
function calledScript(argv: readonly string[]): string | undefined {
  const [program, first, second] = argv
  if (!/^(npm|pnpm|yarn|bun)$/.test(program ?? '')) return undefined
  if (first === 'run' && argv.length === 3) return second
  if (argv.length === 2 && (first === 'start' || (program !== 'npm' && program !== 'bun'))) return first
  return undefined
}

/** In `a && b`, the last command takes the place of the shell, so that it gets signals. */
const lastReplacesShell = (script: string): string => {
  const steps = script.split(/\s*&&\s*/)
  const last = steps.pop() ?? ''
  if (/[|&;<>`(){}]/.test(last) || /^(cd|export|set)\b/.test(last) || /^\w+=/.test(last)) return script
  return [...steps, `exec ${last}`].join(' && ')
}
