// Which files a source of `manifests` means.
import type { Dirent } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { globBase } from '../../model/globs.js'
import { nearest } from '../../errors/did-you-mean.js'
import { globMatches, globPrunes } from '../inputs.js'
import { broken, type Subject } from './fields.js'
import type { PlanWork } from './work.js'

const manifestEnding = /\.(?:ya?ml|json)$/i

/**
 * Absolute paths, sorted. Watches what it looked for.
 * @param source a path, a folder or a glob as the Devloopfile has it
 * @param base the folder that it is relative to
 */
export async function manifestFiles(work: PlanWork, subject: Subject, source: string, base: string): Promise<readonly string[]> {
  if (source.startsWith('!')) {
    broken(subject, 'a pattern cannot begin with `!`.', `Received '${source}'.`, 'Name what is meant.')
    return []
  }
  const path = source.replace(/^(?:\.\/)+/, '').replace(/(?<=.)\/+$/, '')
  const literal = path.startsWith('/') ? `/${globBase(path)}` : globBase(path)
  if (literal === path) return fileOrFolder(work, subject, path, base)
  const root = resolve(base, literal)
  const pattern = path.slice(literal.length).replace(/^\//, '')
  work.globs.push({ base: root, pattern })
  const files = (await walk(root, pattern)).filter((file) => manifestEnding.test(file))
  if (files.length === 0) noFile(work, subject, `no file matches '${source}'.`, `It was looked for below ${root}.`)
  return files
}

async function fileOrFolder(work: PlanWork, subject: Subject, path: string, base: string): Promise<readonly string[]> {
  const file = resolve(base, path)
  const found = await stat(file).catch(() => undefined)
  if (found?.isDirectory()) {
    work.globs.push({ base: file, pattern: '*.{yaml,yml,json}' })
    const files = (await walk(file, '*')).filter((one) => manifestEnding.test(one))
    if (files.length === 0)
      noFile(
        work,
        subject,
        `the folder '${path}' holds no manifest.`,
        'Looked for were .yaml, .yml and .json files directly in it.',
      )
    return files
  }
  work.files.add(file)
  if (found) return [file]
  const siblings = await readdir(dirname(file)).catch(() => [])
  const near = nearest(file.slice(dirname(file).length + 1), siblings)
  const help = near ? `Did you mean '${relative(base, join(dirname(file), near))}'?` : undefined
  noFile(work, subject, `there is no file '${path}'.`, `It was looked for at ${file}.`, help)
  return []
}

function noFile(work: PlanWork, subject: Subject, message: string, why: string, help?: string): void {
  const usual = 'Correct the path: it is relative to the file that this call stands in.'
  work.problems.add('devloopfile/file', { message: `${subject.name}: ${message}`, why, at: subject.at, help: help ?? usual })
}

async function walk(root: string, pattern: string): Promise<readonly string[]> {
  const matches = globMatches(pattern)
  const prunes = globPrunes(pattern)
  const files: string[] = []
  const visit = async (folder: string): Promise<void> => {
    const entries: Dirent[] = await readdir(join(root, folder), { withFileTypes: true }).catch(() => [])
    for (const entry of entries) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      const kind = entry.isSymbolicLink() ? await stat(join(root, path)).catch(() => undefined) : entry
      if (kind?.isFile() && matches(path)) files.push(join(root, path))
      // links to folders are not entered: they may lead in a circle
      else if (entry.isDirectory() && !prunes(path)) await visit(path)
    }
  }
  await visit('')
  return files.sort()
}
