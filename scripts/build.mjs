// Builds dist/: the bundles by esbuild, the type declarations by tsc.
import { execFile } from 'node:child_process'
import { chmod, readFile, rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const { dependencies, version } = JSON.parse(await readFile(`${root}/package.json`, 'utf8'))

await rm(`${root}/dist`, { recursive: true, force: true })
const bundles = build({
  absWorkingDir: root,
  entryPoints: {
    cli: 'src/cli/main.ts',
    index: 'src/index.ts',
    client: 'src/client/index.ts',
    protocol: 'src/protocol/index.ts',
    'devloopfile-worker': 'src/devloopfile/worker.ts',
  },
  outdir: 'dist',
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  sourcemap: true,
  sourcesContent: false,
  minifySyntax: true,
  // the Kubernetes client is a thousand files: bundled, it loads five times faster; everything else is loaded as it is
  external: Object.keys(dependencies),
  define: { __DEVLOOP_VERSION__: JSON.stringify(version) },
  banner: {
    js: "import { createRequire as devloopRequire } from 'node:module'; const require = devloopRequire(import.meta.url);",
  },
  logLevel: 'warning',
})
const types = promisify(execFile)('npx', ['tsc', '-p', 'tsconfig.build.json'], { cwd: root }).catch((error) => {
  process.stderr.write(`${error.stdout}${error.stderr}`)
  process.exitCode = 1
})
await Promise.all([bundles, types])
await chmod(`${root}/dist/cli.js`, 0o755)
