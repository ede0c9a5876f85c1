// The agent's programs in the files of devloop's own package: agent/version, and agent/OS-ARCH for each platform.
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { AgentProgram } from '../../ports/agent-program.js'

/** @param folder default: that of the package, from wherever this module was bundled to, or from the sources */
export function createAgentProgram(folder: string | undefined = findFolder()): AgentProgram {
  const read = async (name: string): Promise<Buffer | undefined> =>
    folder === undefined ? undefined : readFile(join(folder, name)).catch(() => undefined)
  return {
    async version() {
      const version = (await read('version'))?.toString('latin1').trim()
      // it becomes part of an image's tag
      return version !== undefined && /^[0-9a-f]{16}$/.test(version) ? version : undefined
    },
    async read(platform) {
      const [, os, arch] = /^([a-z0-9]+)\/([a-z0-9]+)$/.exec(platform) ?? []
      return os && arch ? read(`${os}-${arch}`) : undefined
    },
  }
}

function findFolder(): string | undefined {
  const own = dirname(fileURLToPath(import.meta.url))
  return ['agent', '../agent', '../../../dist/agent']
    .map((name) => resolve(own, name))
    .find((path) => existsSync(join(path, 'version')))
}
