// Writes the generated parts of docs/cli.md from the declared commands and their pages; with --check, says whether they are up to date.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const file = `${root}/docs/cli.md`

const before = await readFile(file, 'utf8')
let text = before
for (const [name, part] of Object.entries(await reference())) {
  const [begin, end] = [`<!-- generated: ${name} -->`, `<!-- end: ${name} -->`]
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`docs/cli.md lacks ${begin} or ${end}`)
  text = `${text.slice(0, from + begin.length)}\n\n${part}\n\n${text.slice(to)}`
}
if (!process.argv.includes('--check')) {
  await writeFile(file, text)
} else if (before !== text) {
  process.stderr.write('docs/cli.md is not up to date: run `npm run docs`\n')
  process.exitCode = 1
}

/** The generated parts by name. What commands do is not needed to describe them, and stays out. */
async function reference() {
  const folder = await mkdtemp(join(tmpdir(), 'devloop-docs-'))
  try {
    const outfile = join(folder, 'reference.mjs')
    await build({
      absWorkingDir: root,
      entryPoints: ['src/cli/help/reference.ts'],
      outfile,
      bundle: true,
      format: 'esm',
      platform: 'node',
      external: ['../commands/*'],
      banner: {
        js: "import { createRequire as docsRequire } from 'node:module'; const require = docsRequire(import.meta.url);",
      },
    })
    return (await import(pathToFileURL(outfile).href)).reference()
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
