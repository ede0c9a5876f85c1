// What is mounted into an app: named volumes, empty folders, files of this machine and texts.
import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import type { VolumeFile, VolumeSpec } from '../../model/plan.js'
import type { EmptyVolume, FilesVolume, NamedVolume, TextVolume } from '../api/types.js'
import { isMark, type Encoded } from '../declaration.js'
import { asConfig } from './config-ref.js'
import { broken, dnsLabel, integer, options, record, string, wrong, type Subject } from './fields.js'
import { makeText } from './make-text.js'
import { quantity } from './quantity.js'
import type { PlanWork } from './work.js'

const namedKnown: Record<keyof NamedVolume, true> = { volume: true, size: true, storageClass: true, readOnly: true }
const emptyKnown: Record<keyof EmptyVolume, true> = { empty: true, size: true }
const filesKnown: Record<keyof FilesVolume, true> = { files: true, secret: true, mode: true }
const textKnown: Record<keyof TextVolume, true> = { text: true, secret: true, mode: true }

/** More than a ConfigMap or Secret holds: the cluster's store takes 1 MiB, in base64, with everything around it. */
const maxBytes = 700 * 1024
const maxFiles = 200

/** @param base folder that paths are relative to */
export async function makeVolumes(
  work: PlanWork,
  subject: Subject,
  value: Encoded,
  base: string,
): Promise<readonly VolumeSpec[] | undefined> {
  if (value === undefined) return undefined
  const given = record(value)
  if (!given) return wrong(subject, 'volumes', 'an object with what is mounted by its path in the container', value)
  const volumes: VolumeSpec[] = []
  for (const [path, item] of Object.entries(given)) {
    if (item === undefined) continue
    const at = `volumes['${path}']`
    if (!path.startsWith('/') || path === '/' || path.split('/').includes('..') || /[:\0]/.test(path)) {
      broken(subject, `'${path}' is no path for a volume.`, undefined, 'Use an absolute path in the container, below `/`.')
      continue
    }
    const clean = path.replaceAll(/\/+/g, '/').replace(/\/$/, '')
    if (volumes.some((other) => other.path === clean)) {
      broken(subject, `two volumes are mounted at '${clean}'.`, undefined, 'Remove one of them.')
      continue
    }
    const made = await makeVolume(work, { ...subject }, at, item, base)
    if (made) volumes.push({ path: clean, ...made } as VolumeSpec)
  }
  return volumes.length > 0 ? volumes : undefined
}

type Made = VolumeSpec extends infer One ? (One extends VolumeSpec ? Omit<One, 'path'> : never) : never

const what = "the name of a volume, { volume }, { empty }, { files: 'path' }, { text }, or what config or secret gave"

async function makeVolume(work: PlanWork, subject: Subject, at: string, value: Encoded, base: string): Promise<Made | undefined> {
  if (typeof value === 'string') return makeNamed(subject, at, { volume: value })
  const ref = asConfig(work, value)
  if (ref) return { kind: 'config', ...ref }
  const given = isMark(value) ? undefined : record(value)
  if (!given) return wrong(subject, at, what, value)
  if ('volume' in given) return makeNamed(subject, at, given)
  if ('empty' in given) {
    const { empty, size } = options(subject, at, given, emptyKnown)
    if (empty !== true && empty !== 'memory') return wrong(subject, `${at}.empty`, "true or 'memory'", empty)
    const limit = quantity(subject, `${at}.size`, size)
    return { kind: 'empty', ...(empty === 'memory' ? { memory: true } : {}), ...(limit === undefined ? {} : { size: limit }) }
  }
  if ('files' in given) return makeFiles(work, subject, at, given, base)
  if ('text' in given) {
    const { text, secret, mode } = options(subject, at, given, textKnown)
    const from = { text: makeText(work, subject, `${at}.text`, text) }
    const hidden = flag(subject, `${at}.secret`, secret)
    return {
      kind: 'files',
      ...(hidden ? { secret: true } : {}),
      single: true,
      files: [{ to: '', from, mode: modeOf(subject, `${at}.mode`, mode) ?? (hidden ? 0o444 : 0o644) }],
    }
  }
  return wrong(subject, at, what, value)
}

function makeNamed(subject: Subject, at: string, value: Encoded): Made | undefined {
  const { volume, size, storageClass, readOnly } = options(subject, at, value, namedKnown)
  const name = dnsLabel(subject, at, volume)
  const amount = quantity(subject, `${at}.size`, size)
  const storage = string(subject, `${at}.storageClass`, storageClass)
  const fixed = flag(subject, `${at}.readOnly`, readOnly)
  if (name === undefined) return undefined
  return {
    kind: 'named',
    name,
    size: amount ?? '1Gi',
    ...(storage === undefined ? {} : { storageClass: storage }),
    ...(fixed ? { readOnly: true } : {}),
  }
}

async function makeFiles(work: PlanWork, subject: Subject, at: string, value: Encoded, base: string): Promise<Made | undefined> {
  const given = options(subject, at, value, filesKnown)
  const path = string(subject, `${at}.files`, given.files, 'required')
  const secret = flag(subject, `${at}.secret`, given.secret)
  const mode = modeOf(subject, `${at}.mode`, given.mode)
  if (path === undefined) return undefined
  const root = resolve(base, path)
  const found = await stat(root).catch(() => undefined)
  if (!found?.isDirectory() && !found?.isFile()) {
    work.files.add(root)
    return missing(work, subject, `there is no file or folder '${path}' for \`${at}\`.`, `It was looked for at ${root}.`)
  }
  const single = found.isFile()
  if (single) work.files.add(root)
  else work.globs.push({ base: root, pattern: '**' })
  const names = single ? [''] : await namesBelow(root)
  if (names.length > maxFiles) return tooMuch(subject, `'${path}' holds more than ${maxFiles} files.`)
  const files: VolumeFile[] = []
  let bytes = 0
  for (const to of names) {
    const file = single ? root : join(root, to)
    try {
      const [content, { mode: own }] = await Promise.all([readFile(file), stat(file)])
      bytes += content.length
      const hash = createHash('sha256').update(content).digest('hex')
      files.push({ to, from: { file, hash }, mode: mode ?? (secret ? 0o444 : own & 0o111 ? 0o755 : 0o644) })
    } catch (error) {
      // one that is gone by now is seen as the next change
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue
      return missing(work, subject, `'${relative(base, file)}' for \`${at}\` cannot be read.`, (error as Error).message)
    }
    if (bytes > maxBytes) return tooMuch(subject, `'${path}' holds more than ${maxBytes / 1024} kB.`)
  }
  return { kind: 'files', ...(secret ? { secret: true } : {}), ...(single ? { single: true } : {}), files }
}

async function namesBelow(root: string): Promise<readonly string[]> {
  const names: string[] = []
  const visit = async (folder: string): Promise<void> => {
    const entries = await readdir(join(root, folder), { withFileTypes: true }).catch(() => [])
    for (const entry of entries) {
      const name = folder === '' ? entry.name : `${folder}/${entry.name}`
      const kind = entry.isSymbolicLink() ? await stat(join(root, name)).catch(() => undefined) : entry
      if (kind?.isFile()) names.push(name)
      // links to folders are not entered: they may lead in a circle
      else if (entry.isDirectory() && names.length <= maxFiles) await visit(name)
    }
  }
  await visit('')
  return names.sort()
}

function missing(work: PlanWork, subject: Subject, message: string, why: string): undefined {
  const help = 'Correct the path: it is relative to the file that this call stands in.'
  work.problems.add('devloopfile/file', { message: `${subject.name}: ${message}`, why, at: subject.at, help })
}

const tooMuch = (subject: Subject, message: string): undefined =>
  broken(subject, message, 'More does not fit into a ConfigMap or Secret.', 'Put it into the image, or use a named volume.')

/** `true`, `false` or nothing. */
export function flag(subject: Subject, path: string, value: Encoded): boolean {
  if (value !== undefined && typeof value !== 'boolean') wrong(subject, path, 'true or false', value)
  return value === true
}

const modeOf = (subject: Subject, path: string, value: Encoded): number | undefined => integer(subject, path, value, 0, 0o777)

/** The folder that a call's paths are relative to. */
export const baseOf = (subject: Subject): string => dirname(subject.at.file)
