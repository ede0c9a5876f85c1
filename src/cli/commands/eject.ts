// `devloop eject`: what ran in the inner loop, as files for the outer loop.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { DevloopError } from '../../errors/devloop-error.js'
import { choicesOf, type ChoiceOptions } from '../choices.js'
import { exitCodes } from '../exit.js'
import { findDevloopfile } from '../find-devloopfile.js'
import { interruptible } from '../interrupted.js'
import { printJson } from '../print-json.js'

export interface EjectOptions extends ChoiceOptions {
  readonly file?: string
  readonly context?: string
  readonly namespace?: string
  readonly output: 'yaml' | 'kustomize'
  /** Folder for the files; undefined = YAML goes to stdout. */
  readonly dir?: string
  /** `NAME=REFERENCE`. */
  readonly image?: readonly string[]
  readonly expose?: 'route' | 'ingress'
  /** Files that are there and differ are written over. */
  readonly force?: boolean
  readonly json?: boolean
}

/**
 * @param resources names and `label:NAME`
 * @param args for the Devloopfile
 * @throws DevloopError usage, eject/exists, and as ejectFiles
 */
export async function eject(resources: readonly string[], args: readonly string[], options: EjectOptions): Promise<number> {
  const { dir, output, image = [], ...rest } = options
  if (resources.length === 0) throw new DevloopError('usage', 'name the resources to eject')
  if (output === 'kustomize' && dir === undefined)
    throw new DevloopError('usage', 'a kustomization is a folder: name it with --dir')
  const images = Object.fromEntries(image.map(pair))
  const file = findDevloopfile(options.file)
  const { ejectFiles } = await import('../../daemon/eject.js')
  return interruptible(async (signal) => {
    const given = { ...rest, file, resources, args, output, images, choices: choicesOf(options) }
    const files = await ejectFiles(given, note, signal)
    if (dir === undefined && options.json) {
      printJson({ files: files.map(({ path, content }) => ({ path, content: String(content) })) })
      return exitCodes.ok
    }
    if (dir === undefined) {
      process.stdout.write(
        files.map(({ path, content }) => (path.endsWith('.yaml') ? content : commented(content))).join('---\n'),
      )
      return exitCodes.ok
    }
    const written = await write(dir, files, options.force ?? false)
    if (options.json) printJson({ written })
    else for (const path of written) process.stdout.write(`wrote ${path}\n`)
    return exitCodes.ok
  })
}

const note = (text: string): void => void process.stderr.write(`devloop: ${text}\n`)

/** What must not be applied as it is. */
const commented = (content: string | Buffer): string =>
  String(content)
    .replaceAll(/^(?!#)/gm, '# ')
    .replace(/# $/, '')

function pair(given: string): readonly [string, string] {
  const [, name, reference] = /^([^=]+)=(.+)$/.exec(given) ?? []
  if (name !== undefined && reference !== undefined && /^[\w.:/@-]+$/.test(reference)) return [name, reference]
  throw new DevloopError('usage', `--image takes NAME=REFERENCE, and not '${given}'`)
}

interface File {
  readonly path: string
  readonly content: string | Buffer
}

/** All files, or none: what differs from what is there is looked for first. @returns those that were written */
async function write(dir: string, files: readonly File[], force: boolean): Promise<readonly string[]> {
  const changed: File[] = []
  for (const file of files) {
    const path = join(dir, file.path)
    const there = await readFile(path).catch((thrown: unknown) => {
      if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw refused(path, thrown)
    })
    if (there?.equals(Buffer.from(file.content))) continue
    if (there && !force)
      throw new DevloopError('eject/exists', `${path} is there already, and differs`, {
        help: 'Name another folder, or write over it with --force.',
      })
    changed.push({ path, content: file.content })
  }
  for (const { path, content } of changed) {
    await mkdir(dirname(path), { recursive: true })
      .then(() => writeFile(path, content))
      .catch((thrown: unknown) => {
        throw refused(path, thrown)
      })
  }
  return changed.map(({ path }) => path)
}

const refused = (path: string, thrown: unknown): DevloopError =>
  new DevloopError('eject/write', `${path} cannot be written`, { why: (thrown as Error).message, cause: thrown })
