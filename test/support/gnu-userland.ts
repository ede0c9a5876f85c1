// The userland that most base images have: this machine's dash, coreutils, findutils and tar, with the libraries that they need.
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'

const tools = 'cat chmod cp dd find head id ln ls mkdir mv nice readlink rm rmdir sha256sum sleep stat tar tr wc'.split(' ')

/** Put it into a folder that becomes the root of an image. */
export function gnuUserland(root: string): void {
  const put = (from: string, to: string): void => {
    if (existsSync(join(root, to))) return
    mkdirSync(dirname(join(root, to)), { recursive: true })
    copyFileSync(realpathSync(from), join(root, to))
  }
  for (const tool of ['sh', ...tools]) {
    const file = execFileSync('sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' }).trim()
    put(file, `/bin/${tool}`)
    // such as `libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x7f...)`, and the loader without an arrow
    for (const [, library = ''] of execFileSync('ldd', [file], { encoding: 'utf8' }).matchAll(/(\/\S+) \(0x/g))
      put(library, library)
  }
}
