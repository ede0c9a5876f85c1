// Reading files in a Devloopfile, so that a change of them loads it again.
import { dirname, resolve } from 'node:path'
import { callPosition, session, type ApiFunction } from './session.js'
import { UsageError } from './values.js'

/**
 * Text of a file, which is watched from now on: a change of it loads the Devloopfile again.
 *
 * @param path relative to the file that the call stands in
 */
export function readFile(path: string): string {
  return read(path, readFile).text
}

/** Data of a YAML file (its only document), which is watched from now on. See `readFile`. */
export function readYaml(path: string): unknown {
  const { text, file } = read(path, readYaml)
  return parse(path, readYaml, () => session().parseYaml(text, file))
}

/** Data of a JSON file, which is watched from now on. See `readFile`. */
export function readJson(path: string): unknown {
  const { text } = read(path, readJson)
  return parse(path, readJson, () => JSON.parse(text) as unknown)
}

function read(path: string, api: ApiFunction): { text: string; file: string } {
  if (typeof path !== 'string') throw new UsageError(`${api.name}: the path must be a string.`, 'Give the path of a file.', api)
  const file = resolve(dirname(callPosition(api).file), path)
  try {
    return { text: session().read(file), file }
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : (error as Error).message
    throw new UsageError(`${api.name}('${path}'): ${reason}.`, `It was looked for at ${file}.`, api, true)
  }
}

function parse(path: string, api: ApiFunction, parser: () => unknown): unknown {
  try {
    return parser()
  } catch (error) {
    const reason = (error as Error).message.replace(/[.]?$/, '.')
    throw new UsageError(`${api.name}('${path}'): ${reason}`, 'Correct the file.', api, true)
  }
}
