// A Devloopfile in a folder of its own, for tests.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, onTestFinished } from 'vitest'
import { ownFiles } from '../../../src/devloopfile/own-files.js'
import {
  createDevloopfileLoader,
  type DevloopfileLoader,
  type LoadContext,
  type LoadResult,
} from '../../../src/devloopfile/load-devloopfile.js'
import type { ErrorInfo } from '../../../src/errors/devloop-error.js'
import type { Plan } from '../../../src/model/plan.js'

/** The worker bundled once for all tests of a file; alone, a loader does that itself. */
const own = (async () => {
  const folder = mkdtempSync(join(tmpdir(), 'devloop-own-'))
  const worker = join(folder, 'devloopfile-worker.mjs')
  await build({
    entryPoints: [ownFiles().worker],
    outfile: worker,
    bundle: true,
    platform: 'node',
    format: 'esm',
    banner: { js: `import { createRequire as ownRequire } from 'node:module'; const require = ownRequire(import.meta.url);` },
  })
  return { folder, files: { ...ownFiles(), worker } }
})()
afterAll(async () => rmSync((await own).folder, { recursive: true, force: true }))
const { files: ownBuilt } = await own

export const context: LoadContext = { user: 'ada', args: [], runtime: 'kubernetes' }

export interface Project {
  readonly root: string
  readonly loader: DevloopfileLoader
  readonly lines: string[]
  write(files: Readonly<Record<string, string>>): void
  remove(path: string): void
  load(given?: Partial<LoadContext>): Promise<LoadResult>
  /** The plan; fails the test when there is none. */
  plan(given?: Partial<LoadContext>): Promise<Plan>
  /** The errors as text, with paths relative to the project. */
  errors(): Promise<string>
}

export type ProjectOptions = Omit<Parameters<typeof createDevloopfileLoader>[0], 'file'>

/** @param files by path; each folder is made. Gone when the test is finished. */
export function project(files: Readonly<Record<string, string>>, options: ProjectOptions = {}): Project {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'devloop-project-')))
  const loader = createDevloopfileLoader({ file: join(root, 'Devloopfile.ts'), own: ownBuilt, ...options })
  const lines: string[] = []
  const write: Project['write'] = (contents) => {
    for (const [path, content] of Object.entries(contents)) {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      writeFileSync(join(root, path), content)
    }
  }
  const load: Project['load'] = (given) =>
    loader.load({ ...context, ...given }, (line) => lines.push(line), new AbortController().signal)
  write(files)
  onTestFinished(async () => {
    await loader.close()
    rmSync(root, { recursive: true, force: true })
  })
  return {
    root,
    loader,
    lines,
    write,
    remove: (path) => rmSync(join(root, path), { recursive: true, force: true }),
    load,
    async plan(given) {
      const result = await load(given)
      if (!result.ok) throw new Error(result.errors.map((error) => showError(error, root)).join('\n\n'))
      return result.plan
    },
    async errors() {
      const result = await load()
      if (result.ok) throw new Error('It loaded without an error.')
      return result.errors.map((error) => showError(error, root)).join('\n\n')
    },
  }
}

/** An error as the tests compare it. */
export function showError({ code, message, why, where, help }: ErrorInfo, root: string): string {
  const at = where ? ` at ${where.file}:${where.line}${where.column === undefined ? '' : `:${where.column}`}` : ''
  const lines = [`${code}${at}`, message, ...(why ? [why] : []), `-> ${help}`]
  return lines.join('\n').replaceAll(`${root}/`, '').replaceAll(root, 'ROOT')
}

/** A Devloopfile with all of the API imported, whose project lists `resources` after `body` ran. */
export const devloopfile = (
  body: string,
  resources = '',
): string => `import { app, defineDevloop, generated, ignore, image, local, manifests, readFile, readJson, readYaml, rebuildOn, restart, run, sync, text } from 'devloop'
export default defineDevloop(({ user, args, runtime }) => {
${body}
  return { name: 'shop', resources: [${resources}] }
})
`
