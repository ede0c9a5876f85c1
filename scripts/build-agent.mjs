// Builds dist/agent/: the agent for each platform, and its version, which is a hash of its sources. Does nothing when that is there
// already, and says so when it cannot be made because there is no Go.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = fileURLToPath(new URL('..', import.meta.url))
const sources = join(root, 'agent')
const output = join(root, 'dist', 'agent')
const platforms = ['amd64', 'arm64']

/**
 * Brings dist/agent/ up to date: `linux-amd64`, `linux-arm64` and `version`.
 * @returns what to tell: undefined when there is nothing to say
 */
export async function buildAgent() {
  const files = (await readdir(sources)).filter((name) => /\.(go|mod)$/.test(name) && !name.endsWith('_test.go')).sort()
  const hash = createHash('sha256').update(await readFile(fileURLToPath(import.meta.url)))
  for (const name of files) hash.update(`\0${name}\0`).update(await readFile(join(sources, name)))
  const version = hash.digest('hex').slice(0, 16)
  const held = await readFile(join(output, 'version'), 'utf8').catch(() => '')
  if (held.trim() === version) return undefined

  const go = await promisify(execFile)('go', ['version']).catch(() => undefined)
  if (!go) {
    // what is there is of other sources, and would be taken for what it is not
    await rm(output, { recursive: true, force: true })
    return 'The agent was not built: there is no go on the PATH. Live sync uses the shell loop.'
  }
  // another build may do the same at the same time: every file is whole, and the version comes last
  const fresh = join(root, 'dist', `.agent-${process.pid}`)
  await mkdir(fresh, { recursive: true })
  try {
    for (const arch of platforms) {
      // asyncpreemptoff: the supervisor is asked by SIGURG, which the Go runtime would send to itself
      const flags = `-s -w -buildid= -X main.version=${version} -X runtime.godebugDefault=asyncpreemptoff=1`
      await promisify(execFile)('go', ['build', '-trimpath', '-ldflags', flags, '-o', join(fresh, `linux-${arch}`), '.'], {
        cwd: sources,
        env: { ...process.env, CGO_ENABLED: '0', GOOS: 'linux', GOARCH: arch, GOFLAGS: '', GOWORK: 'off' },
      })
    }
    await writeFile(join(fresh, 'version'), version)
    await mkdir(output, { recursive: true })
    for (const name of [...platforms.map((arch) => `linux-${arch}`), 'version'])
      await rename(join(fresh, name), join(output, name))
  } finally {
    await rm(fresh, { recursive: true, force: true })
  }
  return undefined
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const said = await buildAgent()
  if (said) console.log(said)
}
