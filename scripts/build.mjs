// Builds dist/: the bundles by esbuild, the page by vite, the type declarations by tsc, the agent by Go.
import { execFile } from 'node:child_process'
import { chmod, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { buildAgent } from './build-agent.mjs'
import { buildWeb } from './build-web.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const { dependencies, version } = JSON.parse(await readFile(`${root}/package.json`, 'utf8'))

// the agent takes longest and changes least: it is kept while its sources are the same
for (const name of await readdir(`${root}/dist`).catch(() => []))
  if (name !== 'agent') await rm(`${root}/dist/${name}`, { recursive: true, force: true })
const bundles = build({
  absWorkingDir: root,
  entryPoints: {
    cli: 'src/cli/main.ts',
    index: 'src/index.ts',
    'client-node/node-socket': 'src/client/node-socket.ts',
    'client-node/find-discovery': 'src/client/find-discovery.ts',
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
  // bundled, packages of many files load several times faster; those that bring binaries or read files of their own stay outside
  external: Object.keys(dependencies),
  metafile: true,
  define: { __DEVLOOP_VERSION__: JSON.stringify(version) },
  banner: {
    js: "import { createRequire as devloopRequire } from 'node:module'; const require = devloopRequire(import.meta.url);",
  },
  logLevel: 'warning',
})
// for browsers, too: esbuild refuses what they do not have; the parts for Node are loaded when they are needed
const forAll = build({
  absWorkingDir: root,
  entryPoints: { client: 'src/client/index.ts', protocol: 'src/protocol/index.ts' },
  outdir: 'dist',
  bundle: true,
  format: 'esm',
  platform: 'browser',
  target: 'es2022',
  sourcemap: true,
  sourcesContent: false,
  minifySyntax: true,
  plugins: [
    { name: 'parts for Node', setup: ({ onResolve }) => onResolve({ filter: /\/(node-socket|find-discovery)\.js$/ }, nodePart) },
  ],
  logLevel: 'warning',
})
const types = promisify(execFile)('npx', ['tsc', '-p', 'tsconfig.build.json'], { cwd: root }).catch((error) => {
  process.stderr.write(`${error.stdout}${error.stderr}`)
  process.exitCode = 1
})
const agent = buildAgent().then(
  (said) => said && console.log(said),
  (error) => {
    process.stderr.write(`The agent was not built.\n${error.stderr ?? error.stack}\n`)
    process.exitCode = 1
  },
)
const [{ metafile }, , page] = await Promise.all([bundles, forAll, buildWeb(version), types, agent])
const inputs = [...Object.keys(metafile.inputs), ...page.map((path) => relative(root, path))]
await writeFile(`${root}/dist/THIRD-PARTY.txt`, await notices(inputs))
await chmod(`${root}/dist/cli.js`, 0o755)

/** Where the bundle for browsers finds what it imports only on Node. */
function nodePart({ path, kind }) {
  if (kind !== 'dynamic-import') return { errors: [{ text: `${path} is imported at once: browsers could not load the client` }] }
  return { path: `./client-node/${path.split('/').at(-1)}`, external: true }
}

/** Names, versions and licenses of the packages that are in the bundles. */
async function notices(inputs) {
  const folders = new Set(inputs.flatMap((path) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []))
  const parts = await Promise.all(
    [...folders]
      .sort((a, b) => (a < b ? -1 : 1))
      .map(async (folder) => {
        const { name, version, license } = JSON.parse(await readFile(`${root}/${folder}/package.json`, 'utf8'))
        const file = (await readdir(`${root}/${folder}`)).find((one) => /^licen[cs]e/i.test(one))
        const text = file ? (await readFile(`${root}/${folder}/${file}`, 'utf8')).trim() : ''
        return `${name} ${version} (${typeof license === 'string' ? license : (license?.type ?? 'see its page')})\n\n${text}\n`
      }),
  )
  return `devloop's bundles contain these packages.\n\n${parts.join(`\n${'-'.repeat(80)}\n\n`)}`
}
