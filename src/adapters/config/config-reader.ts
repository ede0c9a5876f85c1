// Reads what configs take their values from on this machine: files, folders, env files, and what commands print.
import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { DevloopError, isDevloopError } from '../../errors/devloop-error.js'
import { isConfigKey, type ConfigValues } from '../../model/config-values.js'
import { parseDotenv } from '../../model/dotenv.js'
import type { ConfigSource, ConfigSpec } from '../../model/plan.js'
import type { ConfigReader } from '../../ports/config-reader.js'
import type { ProcessRunner } from '../../ports/process-runner.js'
import { parseOutput } from './parse-output.js'
import { runConfigCommand } from './run-config-command.js'

export interface ConfigReaderParts {
  readonly processes: ProcessRunner
  /** What commands inherit, and what variables in env files mean. Default: the environment of this process. */
  readonly env?: Readonly<Record<string, string | undefined>>
}

export function createConfigReader({ processes, env = process.env }: ConfigReaderParts): ConfigReader {
  const variable = (name: string): string | undefined => env[name]

  async function read(
    spec: ConfigSpec,
    source: ConfigSource,
    onOutput: (line: string) => void,
    signal: AbortSignal,
  ): Promise<ConfigValues> {
    switch (source.kind) {
      case 'values':
      case 'secret':
        return new Map()
      case 'file':
        return new Map([[source.key, await content(spec, source.path)]])
      case 'folder':
        return folderValues(spec, source.path)
      case 'env-file': {
        const text = await content(spec, source.path, source.optional)
        return text ? dotenvValues(spec, text, basename(source.path), variable) : new Map()
      }
      case 'command': {
        const output = await runConfigCommand({ processes, env, spec, source, onOutput }, signal)
        const { format } = source
        if (typeof format === 'object') return new Map([[format.key, Buffer.from(output.replace(/\r?\n$/, ''))]])
        const what = 'what the command prints'
        if (format === 'dotenv') return dotenvValues(spec, Buffer.from(output), what, variable)
        return checked(spec, await parseOutput(spec, format, output), what)
      }
    }
  }

  return {
    async read(spec, onOutput, signal) {
      signal.throwIfAborted()
      return Promise.all(spec.sources.map((source) => read(spec, source, onOutput, signal)))
    },
  }
}

const problem = (spec: ConfigSpec, message: string, why?: string, help?: string): DevloopError =>
  new DevloopError('config/source', `${spec.name}: ${message}`, {
    where: spec.at,
    ...(why === undefined ? {} : { why }),
    ...(help === undefined ? {} : { help }),
  })

async function content(spec: ConfigSpec, path: string): Promise<Buffer>
async function content(spec: ConfigSpec, path: string, optional: boolean | undefined): Promise<Buffer | undefined>
async function content(spec: ConfigSpec, path: string, optional?: boolean): Promise<Buffer | undefined> {
  try {
    return await readFile(path)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' && optional) return undefined
    const what = code === 'ENOENT' ? 'There is no such file' : code === 'EISDIR' ? 'It is a folder' : message
    throw problem(
      spec,
      `${path} cannot be read.`,
      `${what}.`,
      'Correct the path, or create the file: it is read as soon as it is there.',
    )
  }
}

async function folderValues(spec: ConfigSpec, path: string): Promise<ConfigValues> {
  const entries = await readdir(path, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    const what = error.code === 'ENOENT' ? 'There is no such folder' : error.code === 'ENOTDIR' ? 'It is a file' : error.message
    throw problem(spec, `${path} cannot be read.`, `${what}.`, 'Correct the path, or create the folder.')
  })
  const names = entries.filter((entry) => !entry.name.startsWith('.') && !entry.isDirectory()).map(({ name }) => name)
  const values = await Promise.all(names.sort().map(async (name) => [name, await fileOf(spec, join(path, name))] as const))
  return checked(spec, new Map(values.flatMap(([name, value]) => (value ? [[name, value] as const] : []))), path)
}

/** Undefined for what is no file, or is gone by now: that is seen as the next change. */
const fileOf = (spec: ConfigSpec, path: string): Promise<Buffer | undefined> =>
  content(spec, path, true).catch((error: unknown) => {
    if (isDevloopError(error) && error.info.why === 'It is a folder.') return undefined
    throw error
  })

function dotenvValues(spec: ConfigSpec, text: Buffer, what: string, get: (name: string) => string | undefined): ConfigValues {
  const parsed = parseDotenv(text.toString('utf8'), {
    get,
    fail: (message, help, line) => {
      throw problem(spec, `${what}, line ${line}: ${message}`, undefined, help)
    },
  })
  const values = [...parsed].flatMap(([name, value]) => (value === undefined ? [] : [[name, Buffer.from(value)] as const]))
  return checked(spec, new Map(values), what)
}

function checked(spec: ConfigSpec, values: ConfigValues, what: string): ConfigValues {
  for (const name of values.keys()) {
    if (isConfigKey(name)) continue
    const help = 'Use letters, digits, `-`, `_` and `.`.'
    throw problem(spec, `${what}: '${name.slice(0, 60)}' cannot be the name of a value.`, undefined, help)
  }
  return values
}
