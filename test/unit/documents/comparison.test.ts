// docs/comparison.md keeps its word: each behaviour has a test, and each test that it names exists.
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../..', import.meta.url))

const files = (await readdir(join(root, 'test'), { recursive: true })).filter((name) => name.endsWith('.test.ts'))
const sources = new Map(
  await Promise.all(files.map(async (name) => [name, await readFile(join(root, 'test', name), 'utf8')] as const)),
)

test('each of the 32 behaviours has a test', () => {
  const all = [...sources.values()].join('\n')
  const tagged = new Set([...all.matchAll(/\[tilt-0*(\d+)\]/g)].map(([, number]) => Number(number)))
  const missing = Array.from({ length: 32 }, (_, index) => index + 1).filter((number) => !tagged.has(number))
  expect(missing).toEqual([])
  expect([...tagged].filter((number) => number < 1 || number > 32)).toEqual([])
})

test('each test that the document names exists, and shows what it is named for', async () => {
  const document = await readFile(join(root, 'docs/comparison.md'), 'utf8')
  const rows = [...document.matchAll(/^\| (\d+) \|.*\| ([^|]*(?:\\\|[^|]*)*) \|$/gm)]
  expect(rows.map(([, number]) => Number(number))).toEqual(Array.from({ length: 32 }, (_, index) => index + 1))
  const wrong: string[] = []
  for (const [, number, cell = ''] of rows) {
    const named = cell.split('<br>').filter((part) => part.trim() !== '')
    if (named.length === 0) wrong.push(`${number}: no test`)
    for (const part of named) {
      const [, path = '', title = ''] = /\]\(\.\.\/test\/([^)]+)\): (.*)$/.exec(part.trim()) ?? []
      const name = title.replaceAll('\\|', '|')
      const lines = (sources.get(path) ?? '').split('\n').map((line) => line.replaceAll(/\\(['"`])/g, '$1'))
      const found = lines.some(
        (line) => line.replaceAll(/\s*\[tilt-\d+\]\s*/g, ' ').includes(name) && tagOf(line, Number(number)),
      )
      if (name === '' || !found) wrong.push(`${number}: ${part}`)
    }
  }
  expect(wrong, 'run `npm run docs`').toEqual([])
})

const tagOf = (line: string, number: number): boolean =>
  [...line.matchAll(/\[tilt-0*(\d+)\]/g)].some(([, given]) => Number(given) === number)
