// The version of Node.js or Bun that a project asks for.
import type { Finding } from '../component.js'
import { inFolder, type SourceTree } from '../source-tree.js'
import { versionFor } from '../versions.js'
import type { Package } from './node-package.js'

/** Major versions by the code names that `.nvmrc` may hold. */
const codenames: Readonly<Record<string, string>> = { hydrogen: '18', iron: '20', jod: '22', krypton: '24' }

/**
 * @param folders where files that name the version may be, the nearest first
 * @param standard the version that is taken where none is asked for
 */
export function nodeVersion(
  tree: SourceTree,
  folders: readonly string[],
  packages: readonly Package[],
  standard: string,
): { readonly version: string; readonly proof?: string } {
  for (const folder of folders) {
    for (const name of ['.nvmrc', '.node-version', '.tool-versions']) {
      const proof = inFolder(folder, name)
      const text = tree.read(proof)
      if (text === undefined) continue
      const said = name === '.tool-versions' ? (/^nodejs\s+(\S+)/m.exec(text)?.[1] ?? '') : text.trim()
      const version = codenames[said.replace(/^lts\//, '').toLowerCase()] ?? versionFor(said, standard)
      if (version !== undefined) return { version, proof }
    }
  }
  for (const { engine, path } of packages) {
    const version = engine === undefined ? undefined : versionFor(engine, standard)
    if (version !== undefined) return { version, proof: path }
  }
  return { version: standard }
}

/** How it is told. */
export const nodeFinding = ({ version, proof }: { version: string; proof?: string }, own: Package): Finding => ({
  what: proof === undefined ? `Node.js (${version}, as nothing names a version)` : `Node.js ${version}`,
  proof: proof ?? own.path,
})
