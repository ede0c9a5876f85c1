// What a folder of a container without Node holds, by its own tar.
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { extract } from 'tar-stream'
import type { Loop, Tree } from './loop.js'

export async function tarTree(one: Loop, pod: string, remote: string, container?: string): Promise<Tree> {
  const { code, stdout } = await one.execBytes(pod, ['tar', '-C', remote, '-cf', '-', '.'], container)
  if (code !== 0) throw new Error(`the tree of ${pod} could not be read`)
  const found: [string, ...string[]][] = []
  const entries = extract()
  Readable.from([stdout]).pipe(entries)
  for await (const entry of entries) {
    const { name, type, linkname, mode } = entry.header
    const path = name.replace(/^\./, '')
    const hash = createHash('sha256')
    for await (const chunk of entry) hash.update(chunk as Buffer)
    if (type === 'symlink') found.push([path, 'link', linkname ?? ''])
    if (type === 'file') found.push([path, ((mode ?? 0) & 0o777).toString(8), hash.digest('hex')])
  }
  return found.sort((a, b) => (a[0] < b[0] ? -1 : 1))
}
