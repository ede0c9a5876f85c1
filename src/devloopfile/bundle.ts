// Bundles a Devloopfile and all that it imports of the project into one module, by esbuild.
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, isAbsolute, join, resolve, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { BuildContext, BuildFailure, Metafile, Plugin, PluginBuild } from 'esbuild'
import type { ErrorInfo } from '../errors/devloop-error.js'
import { bundleErrors } from './bundle-errors.js'
import { moduleMetaName } from './worker-messages.js'

export type Bundle =
  | {
      readonly ok: true
      readonly code: string
      /** JSON; sources are absolute. */ readonly map: string
      readonly files: readonly string[]
    }
  | { readonly ok: false; readonly errors: readonly ErrorInfo[]; readonly files: readonly string[] }

export interface Bundler {
  /** Bundle what is on disk now. `files`: what was read, and what would have been read had it existed. */
  bundle(): Promise<Bundle>
  close(): Promise<void>
}

/** Bundlers that are open in this process: they share esbuild's one service process. */
let open = 0

/**
 * @param file absolute path of the Devloopfile
 * @param index what `devloop` is: the running package's own
 */
export async function createBundler(file: string, index: string): Promise<Bundler> {
  const esbuild = await import('esbuild')
  const root = dirname(file)
  /** Own files of devloop are no inputs. */
  const own = `${dirname(index)}${sep}`
  const read = new Set<string>()
  open += 1
  const release = async (): Promise<void> => {
    open -= 1
    if (open === 0) await esbuild.stop()
  }
  let context: BuildContext
  try {
    context = await esbuild.context({
      entryPoints: [file],
      absWorkingDir: root,
      outfile: join(root, 'Devloopfile.bundle.mjs'),
      bundle: true,
      write: false,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      sourcemap: 'external',
      sourcesContent: false,
      metafile: true,
      // No `module` condition: packages stay outside and are loaded by Node, which does not know it.
      conditions: [],
      define: {
        'import.meta': moduleMetaName,
        __dirname: `${moduleMetaName}.dirname`,
        __filename: `${moduleMetaName}.filename`,
      },
      loader: { '.json': 'json', '.txt': 'text', '.sql': 'text' },
      logLevel: 'silent',
      plugins: [resolvePackages(index), noteReads(read, own)],
    })
  } catch (error) {
    await release()
    throw error
  }
  return {
    async bundle() {
      read.clear()
      try {
        const { outputFiles, metafile } = await context.rebuild()
        const text = (end: string): string => outputFiles?.find(({ path }) => path.endsWith(end))?.text ?? ''
        const map = JSON.parse(text('.map')) as { sources: string[] }
        map.sources = map.sources.map((source) => resolve(root, source))
        const files = metafile ? inputsOf(metafile, root, index) : []
        return { ok: true, code: text('.mjs'), map: JSON.stringify(map), files }
      } catch (error) {
        const messages = (error as Partial<BuildFailure>).errors
        if (!messages) throw error
        const { errors, missing } = bundleErrors(messages, root)
        const files = [...read].filter((path) => !path.startsWith(own))
        return { ok: false, errors, files: [...new Set([file, ...files, ...missing])] }
      }
    },
    async close() {
      await context.dispose()
      await release()
    },
  }
}

/** Imports of packages: `devloop` is the running one, what is in node_modules is left to Node, workspace packages are sources. */
const resolvePackages = (index: string): Plugin => ({
  name: 'packages',
  setup(build: PluginBuild) {
    build.onResolve({ filter: /^devloop$/ }, () => ({ path: index }))
    build.onResolve({ filter: /^[^./]/ }, async ({ path, kind, pluginData, importer, resolveDir, namespace }) => {
      if (kind === 'entry-point' || pluginData === marker || isAbsolute(path) || /^(?:node|file|data):/.test(path))
        return undefined
      const found = await build.resolve(path, { kind, importer, resolveDir, namespace, pluginData: marker })
      // Nothing said means that esbuild resolves it once more, and tells the place of the import if it cannot.
      if (found.errors.length > 0) return undefined
      if (found.external) return { path: found.path, external: true }
      // A URL: the bundle is evaluated elsewhere, from where the package could not be found by its name.
      if (/[\\/]node_modules[\\/]/.test(found.path)) return { path: pathToFileURL(found.path).href, external: true }
      return { path: found.path, sideEffects: found.sideEffects }
    })
  },
})

const marker = Symbol('resolved by esbuild')

/** Keeps which files were read, also when the bundle then fails. */
const noteReads = (read: Set<string>, own: string): Plugin => ({
  name: 'reads',
  setup(build) {
    build.onLoad({ filter: /.*/, namespace: 'file' }, async ({ path }) => {
      read.add(path)
      if (!path.startsWith(own) || !path.endsWith('.js')) return undefined
      // Without its own source map, so that a place in the API is known for one.
      const text = await readFile(path, 'utf8')
      return { contents: text.replace(/^\/\/# sourceMappingURL=.*$/m, ''), loader: 'js' }
    })
  },
})

/** Files of the graph, less devloop's own API and what only that imports. */
function inputsOf(metafile: Metafile, root: string, index: string): readonly string[] {
  const files = new Set<string>()
  const visit = (path: string): void => {
    const file = resolve(root, path)
    if (file === index || files.has(file)) return
    files.add(file)
    for (const { path: imported, external } of metafile.inputs[path]?.imports ?? []) if (!external) visit(imported)
  }
  for (const output of Object.values(metafile.outputs)) if (output.entryPoint) visit(output.entryPoint)
  return [...files].filter((file) => existsSync(file))
}
