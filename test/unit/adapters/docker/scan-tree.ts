// A folder as the tree that a scan of it gives; for tests.
import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import path from 'node:path'
import type { Entry, Tree } from '../../../../src/model/tree.js'

export function scanTree(root: string): Tree {
  const tree = new Map<string, Entry>()
  for (const item of readdirSync(root, { withFileTypes: true, recursive: true })) {
    const file = path.join(item.parentPath, item.name)
    const name = path.relative(root, file).split(path.sep).join('/')
    if (item.isSymbolicLink()) tree.set(name, { kind: 'link', target: readlinkSync(file) })
    else if (item.isFile()) {
      const bytes = readFileSync(file)
      const hash = createHash('sha256').update(bytes).digest('hex')
      tree.set(name, { kind: 'file', hash, mode: lstatSync(file).mode & 0o777, size: bytes.length })
    }
  }
  return tree
}
