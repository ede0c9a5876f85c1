// Writes docs/protocol.schema.json from the schemas of the protocol; with --check, says whether it is up to date.
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const file = `${root}/docs/protocol.schema.json`
const entryPoints = [`${root}/src/protocol/schema.ts`]
const { outputFiles } = await build({ entryPoints, bundle: true, format: 'esm', write: false })
const { protocolJsonSchema } = await import(
  `data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`
)
const text = `${JSON.stringify(protocolJsonSchema(), undefined, 2)}\n`
if (!process.argv.includes('--check')) {
  await writeFile(file, text)
} else if ((await readFile(file, 'utf8').catch(() => '')) !== text) {
  process.stderr.write('docs/protocol.schema.json is not up to date: run `npm run docs`\n')
  process.exitCode = 1
}
