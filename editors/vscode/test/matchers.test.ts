// The plain lines of the real `devloop watch`, read by what editors read them by: the problem matcher of package.json as VS Code
// does, the errorformat of docs/editors.md by Vim itself.
import { execFileSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { homes, project, put, repository, start } from '../../../test/support/devloop.js'
import { waitFor } from '../../../test/support/wait-for.js'
import manifest from '../package.json' with { type: 'json' }

const devloopfile = (more = '') => `
import { defineDevloop, local } from 'devloop'
export default defineDevloop(() => ({
  name: 'tool',
  resources: [
    local('check', { run: 'node --check src/a.mjs', watch: ['src/**'] }), ${more}
  ],
}))
`
const [matcher] = manifest.contributes.problemMatchers
const [pattern] = manifest.contributes.problemPatterns
if (!matcher || !pattern) throw new Error('package.json has no matcher')

/** What VS Code shows after each cycle: a begin forgets what was found, an end shows it. */
function cycles(output: string): string[][] {
  const { beginsPattern, endsPattern } = matcher!.background
  const shown: string[][] = []
  let found: string[] = []
  for (const line of output.split('\n')) {
    if (new RegExp(beginsPattern).test(line)) found = []
    const match = new RegExp(pattern!.regexp).exec(line)
    if (match) {
      const part = (index: number): string => match[index] ?? ''
      found.push(
        `${part(pattern!.file)}:${part(pattern!.line)}:${part(pattern!.column)} ${part(pattern!.severity)} ${part(pattern!.message)} (${part(pattern!.code)})`,
      )
    }
    if (new RegExp(endsPattern).test(line)) shown.push(found)
  }
  return shown
}

test('problems are found in the output of a task, and go when they are mended', async () => {
  const env = await homes()
  const folder = await project({ 'Devloopfile.ts': devloopfile(), 'src/a.mjs': 'export const = 1\n' })
  const file = join(folder, 'Devloopfile.ts')
  const { output } = start(['watch', '--runtime', 'process', '--file', file], { cwd: folder, env })
  const shows = (...expected: RegExp[]): Promise<unknown> =>
    waitFor(
      () => {
        const last = cycles(output()).at(-1)
        return last?.length === expected.length && expected.every((one, index) => one.test(last[index] ?? ''))
      },
      { what: expected.join(' '), timeoutMs: 40_000 },
    ).catch((thrown: unknown) => {
      throw new Error(`${String(thrown)}\n${output()}`)
    })
  const failed =
    /^\/.*\/Devloopfile\.ts:6:\d+ error check: .*`node --check src\/a\.mjs` failed with exit code 1 \(local\/failed\)$/
  await shows(failed)
  await put(file, devloopfile('lokal()'))
  await shows(/^\/.*\/Devloopfile\.ts:6:\d+ error Devloopfile: .*lokal.* \(devloopfile\/threw\)$/, failed)
  const broken = output()
  await put(file, devloopfile())
  await put(join(folder, 'src/a.mjs'), 'export const a = 1\n')
  await shows()

  // the same lines in Vim's quickfix list
  const docs = await readFile(join(repository, 'docs/editors.md'), 'utf8')
  const format = /^vim\.o\.errorformat = '(.+)'$/m.exec(docs)?.[1]
  if (format === undefined) throw new Error('docs/editors.md has no errorformat')
  const list = quickfix(format, await saved(folder, broken))
  const lines = list.filter((one) => one.includes('Devloopfile.ts'))
  expect(lines.at(-1)).toMatch(failed)
  expect(lines.at(-2)).toMatch(/^\/.*\/Devloopfile\.ts:6:\d+ error Devloopfile: .* \(devloopfile\/threw\)$/)
  // lines of other shapes are in no file
  expect(list.every((one) => one.includes('/Devloopfile.ts:6:'))).toBe(true)
})

async function saved(folder: string, text: string): Promise<string> {
  const file = join(folder, 'output.txt')
  await writeFile(file, text)
  return file
}

/** The valid entries of the list that Vim makes; where there is no Vim, of one that understands as much of errorformat as is used. */
function quickfix(format: string, file: string): string[] {
  const entry =
    "printf('%s:%d:%d %s %s', fnamemodify(bufname(v:val.bufnr), ':p'), v:val.lnum, v:val.col, v:val.type ==? 'e' ? 'error' : 'warning', substitute(v:val.text, ' \\[\\([^]]*\\)\\]$', ' (\\1)', ''))"
  try {
    execFileSync(
      'vim',
      [
        '-es',
        '-u',
        'NONE',
        '-N',
        '-c',
        `let &errorformat = '${format}'`,
        '-c',
        `cgetfile ${file}`,
        '-c',
        `call writefile(map(filter(getqflist(), 'v:val.valid'), ${JSON.stringify(entry)}), '${file}.list')`,
        '-c',
        'qa!',
      ],
      { stdio: 'ignore', timeout: 20_000 },
    )
    return execFileSync('cat', [`${file}.list`], { encoding: 'utf8' })
      .trimEnd()
      .split('\n')
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown
    return read(format, execFileSync('cat', [file], { encoding: 'utf8' }))
  }
}

function read(format: string, text: string): string[] {
  const parts: Readonly<Record<string, string>> = {
    f: '(?<f>.+?)',
    l: '(?<l>\\d+)',
    c: '(?<c>\\d+)',
    m: '(?<m>.+)',
    t: '(?<t>.)',
    '#': '*',
  }
  const patterns = format.split(',').map((one) => {
    const body = one.replace(/^%-G/, '').replace(/%(.)/g, (_, letter: string) => parts[letter] ?? letter)
    return { ignored: one.startsWith('%-G'), regexp: new RegExp(`^${body}$`) }
  })
  return text.split('\n').flatMap((line) => {
    const first = patterns.find(({ regexp }) => regexp.test(line))
    const groups = first?.ignored === false ? first.regexp.exec(line)?.groups : undefined
    if (!groups) return []
    return [
      `${groups.f}:${groups.l}:${groups.c} ${groups.t === 'e' ? 'error' : 'warning'} ${(groups.m ?? '').replace(/ \[([^\]]*)\]$/, ' ($1)')}`,
    ]
  })
}

test('docs/cli.md tells the same matcher', async () => {
  const docs = await readFile(join(repository, 'docs/cli.md'), 'utf8')
  const task = [...docs.matchAll(/```json\n([^]*?)```/g)]
    .map(([, text]) => text ?? '')
    .find((text) => text.includes('problemMatcher'))
  const { problemMatcher: told } = JSON.parse(task ?? '{}') as { problemMatcher: Record<string, unknown> }
  const { name: _, ...own } = pattern!
  expect(told).toMatchObject({
    background: matcher!.background,
    pattern: own,
    owner: matcher!.owner,
    fileLocation: matcher!.fileLocation,
  })
})
