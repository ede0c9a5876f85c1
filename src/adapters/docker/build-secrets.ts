// Secrets of a build, read when it begins. They are handed to the engine's session and kept nowhere.
import { readFile } from 'node:fs/promises'
import { DevloopError } from '../../errors/devloop-error.js'
import type { ImageSpec } from '../../model/plan.js'
import type { Environment } from './docker-config.js'

/** BuildKit takes no larger ones. Bytes. */
const largest = 500 * 1024

/** The bytes of each secret by its id. @throws DevloopError build/secret when one is not there or too large */
export async function readSecrets(image: ImageSpec, env: Environment): Promise<ReadonlyMap<string, Buffer>> {
  const secrets = Object.entries(image.options?.secrets ?? {})
  return new Map(await Promise.all(secrets.map(async ([id, from]) => [id, await readSecret(image, id, from, env)] as const)))
}

async function readSecret(
  image: ImageSpec,
  id: string,
  from: { readonly file: string } | { readonly env: string },
  env: Environment,
): Promise<Buffer> {
  const failed = (why: string, help: string, cause?: unknown): DevloopError =>
    new DevloopError('build/secret', `The secret '${id}' of image ${image.name} cannot be read.`, {
      why,
      where: image.at,
      help,
      cause,
    })
  let value: Buffer
  if ('env' in from) {
    const text = env[from.env]
    if (text === undefined) {
      throw failed(`The environment of devloop has no variable ${from.env}.`, `Set ${from.env} and start devloop again.`)
    }
    value = Buffer.from(text, 'utf8')
  } else {
    try {
      value = await readFile(from.file)
    } catch (error) {
      const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
      const why = missing ? `There is no file ${from.file}.` : (error as Error).message
      throw failed(why, 'Create the file, or correct `secrets`.', error)
    }
  }
  if (value.length <= largest) return value
  throw failed(`It has ${value.length} bytes, and BuildKit takes at most ${largest}.`, 'Use a smaller one.')
}
