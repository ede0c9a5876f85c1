// `devloop init` on sample trees: what it finds and writes, byte by byte; and that what it writes can be used.
import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startInit, type InitRun } from '../../../src/scaffold/init.js'
import { reportText } from '../../../src/scaffold/report.js'
import { project } from '../devloopfile/project.js'

const samples = fileURLToPath(new URL('../../fixtures/init', import.meta.url))
const golden = fileURLToPath(new URL('../../fixtures/init-golden', import.meta.url))
const names = readdirSync(samples).sort()

let copies = ''
beforeAll(async () => {
  copies = await mkdtemp(join(tmpdir(), 'devloop-init-'))
})
afterAll(() => rm(copies, { recursive: true, force: true }))

/** Every file of a folder with its text. */
async function texts(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
  return Object.fromEntries(
    await Promise.all(files.sort().map(async (file) => [file, await readFile(join(folder, file), 'utf8')] as const)),
  )
}

/** Runs `devloop init --yes`. @returns what it tells */
function initialise(run: InitRun): string {
  const plan = run.plan()
  const changes = run.changes(plan)
  if (!run.isKept) run.write(changes)
  return reportText(plan, changes, { isKept: run.isKept, dryRun: false })
}

describe.each(names)('%s', (name) => {
  test('is found and written as before; a second run changes nothing, and what was there is untouched', async () => {
    const folder = join(copies, name)
    await cp(join(samples, name), folder, { recursive: true })
    const before = await texts(folder)
    const told = initialise(startInit({ folder }))
    const after = await texts(folder)
    expect(after).toMatchObject(before)

    const written = Object.entries(after).filter(([path]) => !Object.hasOwn(before, path))
    await expect([told, ...written.map(([path, text]) => `--- ${path}\n${text}`)].join('\n')).toMatchFileSnapshot(
      join(golden, `${name}.txt`),
    )

    expect(initialise(startInit({ folder }))).toContain('There is a Devloopfile.ts, which is kept')
    // also when it is written anew: the Dockerfiles are known again
    initialise(startInit({ folder, force: true }))
    expect(await texts(folder)).toEqual(after)
  })

  test('the Devloopfile loads', async () => {
    const { plan, root } = project(await texts(join(samples, name)))
    initialise(startInit({ folder: root }))
    const { resources } = await plan()
    expect(Object.keys(resources).length).toBeGreaterThan(0)
  })
})

test('the Devloopfiles of all samples compile', async () => {
  const repository = fileURLToPath(new URL('../../..', import.meta.url))
  const config = {
    extends: join(repository, 'tsconfig.json'),
    compilerOptions: {
      paths: { devloop: [join(repository, 'src/index.ts')] },
      typeRoots: [join(repository, 'node_modules/@types')],
      module: 'esnext',
      moduleResolution: 'bundler',
      verbatimModuleSyntax: false,
    },
    include: [],
    files: names.map((name) => join(copies, name, 'Devloopfile.ts')),
  }
  await writeFile(join(copies, 'tsconfig.json'), JSON.stringify(config))
  const tsc = join(repository, 'node_modules/typescript/bin/tsc')
  const output = await promisify(execFile)(process.execPath, [tsc, '-p', copies]).then(
    ({ stdout }) => stdout,
    (error: { stdout: string }) => error.stdout,
  )
  expect(output).toBe('')
}, 60_000)
