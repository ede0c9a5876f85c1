// Builds dist/extension.js: the extension and the client library in one CommonJS file, which is what the extension host loads.
// esbuild and ws come from the repository, so `npm ci` there comes first.
import { copyFile, readFile, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const folder = fileURLToPath(new URL('.', import.meta.url))
const repository = fileURLToPath(new URL('../..', import.meta.url))

await rm(`${folder}/dist`, { recursive: true, force: true })
const { metafile } = await build({
  absWorkingDir: folder,
  entryPoints: ['src/extension.ts'],
  outfile: 'dist/extension.js',
  bundle: true,
  format: 'cjs',
  platform: 'node',
  // of VS Code 1.100
  target: 'node20',
  external: ['vscode'],
  alias: { 'devloop/client': `${repository}/src/client/index.ts` },
  minify: true,
  keepNames: true,
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
})
const packages = new Set(
  Object.keys(metafile.inputs).flatMap((path) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []),
)
const notices = await Promise.all(
  [...packages].toSorted().map(async (path) => {
    const { name, version, license } = JSON.parse(await readFile(`${folder}/${path}/package.json`, 'utf8'))
    return `${name} ${version} (${license})\n\n${(await readFile(`${folder}/${path}/LICENSE`, 'utf8')).trim()}\n`
  }),
)
await writeFile(`${folder}/dist/THIRD-PARTY.txt`, `The extension contains these packages.\n\n${notices.join('\n')}`)
await copyFile(`${repository}/LICENSE`, `${folder}/LICENSE`)
