// The documents keep their word: links lead somewhere, and the README's Devloopfile loads.
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { createDevloopfileLoader } from '../../../src/devloopfile/load-devloopfile.js'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...(await readdir(join(root, 'docs'), { recursive: true }))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
]

const withoutCode = (text: string): string => text.replace(/```.*?```/gs, '').replace(/`[^`\n]*`/g, '')

/** The ids that GitHub gives to headings. */
const anchors = (text: string): string[] =>
  [...text.replace(/```.*?```/gs, '').matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )

describe.each(pages)('%s', (page) => {
  it('has no link that leads nowhere', async () => {
    const text = await readFile(join(root, page), 'utf8')
    const broken: string[] = []
    for (const [, target = ''] of withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue
      const [path = '', anchor] = target.split('#')
      const file = path === '' ? join(root, page) : resolve(root, dirname(page), path)
      if (!existsSync(file)) broken.push(target)
      else if (anchor !== undefined && !anchors(await readFile(file, 'utf8')).includes(anchor)) broken.push(target)
    }
    expect(broken).toEqual([])
  })
})

it('the Devloopfile of the README loads', async () => {
  const text = await readFile(join(root, 'README.md'), 'utf8')
  const source = /```ts\n(import .*?)```/s.exec(text)?.[1] ?? ''
  const dir = await mkdtemp(join(tmpdir(), 'devloop-readme-'))
  const file = join(dir, 'Devloopfile.ts')
  await mkdir(join(dir, 'services/api/src'), { recursive: true })
  await writeFile(join(dir, 'services/api/package-lock.json'), '{}')
  await writeFile(join(dir, 'services/api/Dockerfile'), 'FROM node:20\n')
  await writeFile(file, source)
  const loader = createDevloopfileLoader({ file })
  try {
    const loaded = await loader.load({ user: 'ann', args: [], runtime: 'kubernetes' }, () => {}, new AbortController().signal)
    expect(loaded).toMatchObject({ ok: true, plan: { name: 'shop', cluster: { namespace: 'dev-ann' } } })
  } finally {
    await loader.close()
    await rm(dir, { recursive: true })
  }
})
