// The shells of this machine: what an image may have as `sh`.
import { execFileSync } from 'node:child_process'
import { realpathSync } from 'node:fs'

/** Each once, by what it really is. There is always `sh`. */
export const shellsHere: readonly { readonly name: string; readonly argv: readonly string[] }[] = unique([
  { name: 'sh', argv: ['sh'] },
  { name: 'dash', argv: ['dash'] },
  { name: 'bash', argv: ['bash', '--posix'] },
  { name: 'busybox', argv: ['busybox', 'sh'] },
  { name: 'mksh', argv: ['mksh'] },
])

/** Where a program is; undefined = there is none. */
export function find(program: string): string | undefined {
  try {
    return realpathSync(execFileSync('sh', ['-c', 'command -v "$1"', 'sh', program], { encoding: 'utf8' }).trim())
  } catch {
    return undefined
  }
}

function unique(shells: readonly { name: string; argv: readonly string[] }[]): { name: string; argv: readonly string[] }[] {
  const seen = new Set<string>()
  return shells.filter(({ argv: [program = ''] }) => {
    const real = find(program)
    if (real === undefined || seen.has(real)) return false
    seen.add(real)
    return true
  })
}
