// Writes the names of the tests into the table of docs/comparison.md; with --check, says whether they are up to date. A test shows a
// behaviour when its name holds the behaviour's tag, such as [tilt-7].
import { readFile, readdir, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const file = `${root}/docs/comparison.md`

/** Tests by number: where they stand, and what they are called without the tags. */
async function taggedTests() {
  const found = new Map()
  const files = (await readdir(`${root}/test`, { recursive: true })).filter((name) => name.endsWith('.ts')).toSorted()
  for (const name of files) {
    const source = await readFile(`${root}/test/${name}`, 'utf8')
    for (const [literal] of source.matchAll(/(["'`])(?:\\.|(?!\1)[^\n\\])*\[tilt-\d+\](?:\\.|(?!\1)[^\n\\])*\1/g)) {
      const title = literal.slice(1, -1).replaceAll(/\\(.)/g, '$1')
      const plain = title.replaceAll(/\s*\[tilt-\d+\]\s*/g, ' ').trim()
      for (const [, number] of title.matchAll(/\[tilt-0*(\d+)\]/g))
        found.set(Number(number), [...(found.get(Number(number)) ?? []), { name, plain }])
    }
  }
  return found
}

const cell = (tests) =>
  tests
    .map(({ name, plain }) => `[${name.slice(name.lastIndexOf('/') + 1)}](../test/${name}): ${plain.replaceAll('|', '\\|')}`)
    .join('<br>')

const tests = await taggedTests()
const before = await readFile(file, 'utf8')
const after = before
  .split('\n')
  .map((line) => {
    const [, number, told] = /^\| (\d+) (\|.*\|) [^|]*(?:\\\|[^|]*)*\|$/.exec(line) ?? []
    return number === undefined ? line : `| ${number} ${told} ${cell(tests.get(Number(number)) ?? [])} |`
  })
  .join('\n')
if (!process.argv.includes('--check')) {
  await writeFile(file, after)
} else if (after !== before) {
  process.stderr.write('docs/comparison.md is not up to date: run `npm run docs`\n')
  process.exitCode = 1
}
