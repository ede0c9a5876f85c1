// Compares with what `docker build` itself sends. It filters in the client, so its own command is asked, with the classic
// builder, and the image it made is read back. (That client gives up on a whole folder where only a pattern with a leading
// `**` could bring something back; BuildKit does not, and devloop follows BuildKit: see the table of the unit test.)
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import Docker from 'dockerode'
import { extract } from 'tar-stream'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { compileDockerignore } from '../../../src/model/dockerignore.js'

const tree = [
  'README.md',
  'README-secret.md',
  'CHANGES.md',
  '.env',
  '.git/HEAD',
  'a',
  'a b',
  'ä.txt',
  'x[1].txt',
  'tempa',
  'temp/file',
  'src/main.go',
  'src/main_test.go',
  'src/deep/er/main.go',
  'src/deep/er/data.json',
  'src/temp/file',
  'src/.hidden/x',
  'docs/README.md',
  'docs/guide/one.md',
  'docs/guide/two.txt',
  'node_modules/lib/index.js',
  'node_modules/keep/index.js',
  'packages/one/node_modules/lib/index.js',
  'packages/one/src/index.js',
  'packages/two/dist/out.js',
  'packages/two/README.md',
]

const files: [title: string, text: string][] = [
  ['nothing', ''],
  ['comments and blanks', '# README.md\n\n  \n #a\nCHANGES.md   \n\tdocs\n'],
  ['one name', 'temp'],
  ['one and two levels', '*/temp*\n*/*/file'],
  ['single characters', 'temp?\n?'],
  ['every level', '**/*.md\n**/node_modules'],
  ['exceptions', '*.md\n!README*.md\nREADME-secret.md'],
  ['exceptions, covered again', '*.md\nREADME-secret.md\n!README*.md'],
  ['everything but', '*\n!src\n!packages/one/src\nsrc/deep\n!src/deep/er/main.go'],
  ['a folder but one below', 'node_modules\n!node_modules/keep\npackages/*/node_modules'],
  ['slashes and dots', '/docs/\n./src/../temp\n//a\n../README.md\n.'],
  ['two stars in the middle and at the end', 'src/**/main.go\npackages/**\n!packages/two'],
  ['brackets and backslashes', 'x\\[1].txt\n[rR]EADME.md\ndocs/[^g]*'],
  ['dot files', '.*\n!.env'],
  ['byte order mark and CRLF', '\uFEFFdocs\r\n!docs/guide/one.md\r\n*.md\r\n'],
  ['the files of the build themselves', 'Dockerfile\n.dockerignore\na*'],
]

const docker = new Docker()
const run = promisify(execFile)
const tag = `devloop-ignore-test-${Math.random().toString(36).slice(2, 10)}`
let context: string

beforeAll(() => {
  context = mkdtempSync(join(tmpdir(), 'devloop-ignore-'))
  for (const path of [...tree, 'Dockerfile']) {
    mkdirSync(dirname(join(context, path)), { recursive: true })
    writeFileSync(join(context, path), path)
  }
  writeFileSync(join(context, 'Dockerfile'), 'FROM scratch\nCOPY . /context/\n')
})

afterAll(async () => {
  rmSync(context, { recursive: true, force: true })
  await docker.getImage(tag).remove({ force: true })
})

/** Paths of the files that the image has got from the context. */
async function filesInImage(): Promise<string[]> {
  const container = await docker.createContainer({ Image: tag, Cmd: ['none'] })
  try {
    const found: string[] = []
    const entries = extract()
    const archive = await container.export()
    archive.pipe(entries)
    for await (const entry of entries) {
      if (entry.header.type === 'file' && entry.header.name.startsWith('context/'))
        found.push(entry.header.name.slice('context/'.length))
      entry.resume()
    }
    return found.sort()
  } finally {
    await container.remove({ force: true })
  }
}

test.each(files)('%s', async (_title, text) => {
  writeFileSync(join(context, '.dockerignore'), text)
  await run('docker', ['build', '-q', '-t', tag, context], { env: { ...process.env, DOCKER_BUILDKIT: '0' } })
  const ignored = compileDockerignore(text)
  const kept = [...tree, 'Dockerfile', '.dockerignore'].filter((path) => !ignored(path, false))
  expect(await filesInImage()).toEqual(kept.sort())
})
