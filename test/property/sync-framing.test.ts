// Whatever a name or a content is made of, the container's shell and tar get exactly that.
import { spawnSync } from 'node:child_process'
import { Readable } from 'node:stream'
import fc from 'fast-check'
import { extract } from 'tar-stream'
import { describe, expect, it } from 'vitest'
import { quote, quoteBytes } from '../../src/adapters/kube/sync/shell-quote.js'
import { tarEnd, tarFile } from '../../src/adapters/kube/sync/tar-entries.js'
import { pathReader } from '../../src/adapters/kube/sync/sync-paths.js'
import { shellsHere } from '../unit/adapters/kube/sync/shells.js'

/** What matters to shells comes often. */
const piece = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      "'",
      '"',
      '\\',
      '\n',
      '$',
      '`',
      '*',
      '?',
      '[',
      '~',
      '!',
      ' ',
      '-',
      '#',
      '%',
      '\r',
      '\t',
      '0',
      '1',
      '7',
      '\\0',
      '\\c',
      '\u0001',
    ),
  },
  { weight: 2, arbitrary: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 4 }) },
)
const text = fc.array(piece, { maxLength: 30 }).map((parts) => parts.join('').replaceAll('\0', '') || 'x')
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array)),
  text.map((value) => Buffer.from(value)),
  fc
    .array(fc.constantFrom(0, 10, 39, 92, 48, 49, 55, 0x81, 0x88, 0xc4, 0xff), { maxLength: 60 })
    .map((array) => Buffer.from(array)),
)

describe.each(shellsHere)('words for $name', ({ argv }) => {
  /** What the shell makes of code that comes as one line, in the loop's way. */
  const run = (code: Buffer): Buffer => {
    const [program = '', ...args] = argv
    const script = 'LC_ALL=C N=\'\n\'\nwhile IFS= read -r line; do eval "$line"; done'
    return spawnSync(program, [...args, '-c', script], { input: Buffer.concat([code, Buffer.from('\n')]), maxBuffer: 1e8 }).stdout
  }

  it('quote keeps every text', () => {
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 100 }), (texts) => {
        const words = texts.map(quote)
        expect(words.some((word) => word.includes('\n'))).toBe(false)
        expect(run(Buffer.from(`printf '%s\\000' ${words.join(' ')}`)).toString()).toBe(texts.map((one) => `${one}\0`).join(''))
      }),
      { numRuns: 30 },
    )
  })

  it('quoteBytes keeps every byte', () => {
    fc.assert(
      fc.property(fc.array(bytes, { minLength: 1, maxLength: 50 }), (contents) => {
        const words = contents.map((content) => quoteBytes(content, 1_000_000) as Buffer)
        for (const word of words) expect(word.includes(0x0a) || word.includes(0)).toBe(false)
        const code = words.map((word) => Buffer.concat([Buffer.from("printf '%b:' "), word, Buffer.from('; ')]))
        expect(run(Buffer.concat(code))).toEqual(
          Buffer.concat(contents.map((content) => Buffer.concat([content, Buffer.from(':')]))),
        )
      }),
      { numRuns: 30 },
    )
  })
})

describe('quoteBytes', () => {
  it('is never longer than its limit, and gives up only when it must', () => {
    fc.assert(
      fc.property(bytes, fc.nat(400), (content, limit) => {
        const whole = quoteBytes(content, Infinity) as Buffer
        expect(quoteBytes(content, limit)).toEqual(whole.length <= limit ? whole : undefined)
      }),
    )
  })
})

describe('tar entries', () => {
  const name = fc
    .array(fc.oneof(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }), fc.string({ minLength: 1, maxLength: 120 })), {
      minLength: 1,
      maxLength: 6,
    })
    .map((parts) => parts.map((part) => part.replaceAll(/[/\0]/g, '_').replaceAll(/^\.+$/g, '_')).join('/'))

  it('come out as they went in', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ name, mode: fc.integer({ min: 0, max: 0o777 }), content: bytes }), { maxLength: 20 }),
        async (files) => {
          const parts = files.flatMap((file) => tarFile(file.name, file.mode, file.content))
          const body = Buffer.concat(parts)
          const tar = Buffer.concat([body, tarEnd(body.length)])
          expect(tar.length % 10_240).toBe(0)
          const found: { name: string; mode: number | undefined; content: Buffer }[] = []
          const entries = extract()
          Readable.from([tar]).pipe(entries)
          for await (const entry of entries) {
            const chunks: Buffer[] = []
            for await (const chunk of entry) chunks.push(chunk as Buffer)
            found.push({ name: entry.header.name, mode: entry.header.mode, content: Buffer.concat(chunks) })
          }
          expect(found).toEqual(files)
        },
      ),
      { numRuns: 50 },
    )
  })
})

describe('pathReader', () => {
  const segment = fc.oneof(fc.constantFrom('.', '..', '', 'a', 'b', '...', '.a'), text)

  it('lets nothing out of the roots', () => {
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 6 }), fc.constantFrom('/app', '/app/src', '/', '/a'), (segments, root) => {
        const path = `/${segments.join('/')}`
        let at
        try {
          at = pathReader([root])(path)
        } catch {
          return
        }
        const clean = path.split('/').slice(1)
        expect(clean.every((one) => one !== '' && one !== '.' && one !== '..')).toBe(true)
        expect(path === root || path.startsWith(root === '/' ? '/' : `${root}/`)).toBe(true)
        expect(`${at.folder}/${at.name}`).toBe(path)
        for (const folder of at.above)
          expect(path.startsWith(`${folder}/`) && folder.length > (root === '/' ? 0 : root.length)).toBe(true)
      }),
    )
  })

  it('knows what leads to a path', () => {
    const read = pathReader(['/app/src', '/app', '/one.json', '/app/src/'])
    expect(read('/app/src/a/b/c.js')).toEqual({
      path: '/app/src/a/b/c.js',
      folder: '/app/src/a/b',
      name: 'c.js',
      root: '/app/src',
      above: ['/app/src/a', '/app/src/a/b'],
    })
    expect(read('/app/x')).toEqual({ path: '/app/x', folder: '/app', name: 'x', root: '/app', above: [] })
    expect(read('/one.json')).toEqual({ path: '/one.json', folder: '', name: 'one.json', root: '/one.json', above: [] })
    expect(pathReader(['/'])('/a/b')).toEqual({ path: '/a/b', folder: '/a', name: 'b', root: '/', above: ['/a'] })
    expect(() => read('/etc/passwd')).toThrow('outside')
  })
})
