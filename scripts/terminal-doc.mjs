// Puts the screens into docs/terminal.md, as the code draws them; with --check, says whether they are up to date.
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

process.env.TZ = 'UTC'
const root = fileURLToPath(new URL('..', import.meta.url))
const file = `${root}/docs/terminal.md`
const { outputFiles } = await build({
  entryPoints: [`${root}/test/support/doc-screens.ts`],
  bundle: true,
  platform: 'node',
  format: 'esm',
  write: false,
})
const { docScreens } = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`)

const before = await readFile(file, 'utf8')
const screens = docScreens()
const text = before.replace(/(<!-- screen (\w+) -->\n)[^]*?(<!-- end -->)/g, (whole, begin, name, end) => {
  if (!screens[name]) throw new Error(`docs/terminal.md wants a screen ${name}, which there is not`)
  return `${begin}${screens[name]}\n${end}`
})
if (!process.argv.includes('--check')) {
  await writeFile(file, text)
} else if (before !== text) {
  process.stderr.write('docs/terminal.md is not up to date: run `npm run docs`\n')
  process.exitCode = 1
}
