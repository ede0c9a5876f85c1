// The files of the page, which are known when devloop is built. A path is looked up in a table, and never becomes part of a file name.
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface PageFile {
  readonly type: string
  readonly body: Buffer
  /** Changes with the content. */
  readonly etag: string
}

/** The file of a path of the address; undefined = there is none. */
export type PageFiles = (path: string) => PageFile | undefined

const files: Readonly<Record<string, { readonly name: string; readonly type: string }>> = {
  '/': { name: 'index.html', type: 'text/html; charset=utf-8' },
  '/page.js': { name: 'page.js', type: 'text/javascript; charset=utf-8' },
  '/page.css': { name: 'page.css', type: 'text/css; charset=utf-8' },
}

/**
 * The files are read when the first of them is asked for, all at once so that they fit each other, and kept.
 * @param folder that of the built page; undefined = it was not built, and there are no files
 */
export function createPageFiles(folder: string | undefined): PageFiles {
  let read: ReadonlyMap<string, PageFile> | undefined
  return (path) => {
    if (!Object.hasOwn(files, path)) return undefined
    read ??= readAll(folder)
    return read.get(path)
  }
}

function readAll(folder: string | undefined): ReadonlyMap<string, PageFile> {
  if (folder === undefined) return new Map()
  try {
    return new Map(
      Object.entries(files).map(([path, { name, type }]) => {
        const body = readFileSync(join(folder, name))
        return [path, { type, body, etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"` }]
      }),
    )
  } catch {
    // removed since, such as by an update of devloop under a running daemon
    return new Map()
  }
}

/** The folder of the built page in devloop's own package, from wherever this module was bundled to, or from the sources. */
export function findPageFolder(): string | undefined {
  const own = dirname(fileURLToPath(import.meta.url))
  return ['web', '../web', '../../dist/web'].map((name) => resolve(own, name)).find((path) => existsSync(join(path, 'page.js')))
}
