// Writes docs/errors.md from the table of codes; with --check, says whether it is up to date.
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const file = `${root}/docs/errors.md`
const { outputFiles } = await build({ entryPoints: [`${root}/src/errors/codes.ts`], bundle: true, format: 'esm', write: false })
const { errorCodes } = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`)

const lines = [
  '# Errors',
  '',
  'Every error has a code that never changes, says what went wrong and where, why, and what to do. This page is generated from `src/errors/codes.ts`.',
  '',
  '**Tried again** tells what devloop does by itself: *by itself* means again and again with a growing pause, since the cause may go away outside; *on a change* means that only a save, a reload or a trigger can help.',
]
let area = ''
for (const [code, { summary, help, retry }] of Object.entries(errorCodes)) {
  const [first] = code.split('/')
  if (first !== area && code.includes('/')) lines.push('', `## ${first}`)
  else if (!code.includes('/') && area !== 'other') lines.push('', '## other')
  area = code.includes('/') ? first : 'other'
  lines.push(
    '',
    `### ${code}`,
    '',
    summary,
    '',
    `What to do: ${help} Tried again ${retry === 'backoff' ? 'by itself' : 'on a change'}.`,
  )
}
const text = `${lines.join('\n')}\n`
if (!process.argv.includes('--check')) {
  await writeFile(file, text)
} else if ((await readFile(file, 'utf8').catch(() => '')) !== text) {
  process.stderr.write('docs/errors.md is not up to date: run `npm run docs`\n')
  process.exitCode = 1
}
