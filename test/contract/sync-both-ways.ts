// What a sync transport that brings back must do: tell what changes, give the bytes, and overwrite only what is expected. Applied to each by
// the test file of its transport.
import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { absent, sameEntry, type Entry, type Wanted } from '../../src/model/tree.js'
import { waitFor } from '../support/wait-for.js'
import { fileEntry, fileOp, oddNames } from './sync-samples.js'
import type { SyncFixture, SyncTransportSuite } from './sync-transport.js'

const never = new AbortController().signal

/** Declares the suite. */
export function syncBothWaysSuite({ name, missing, open }: SyncTransportSuite): void {
  describe.skipIf(missing !== undefined)(
    `sync transport that brings back: ${missing === undefined ? name : `${name} (${missing})`}`,
    () => {
      let fixture: SyncFixture
      beforeEach(async () => {
        fixture = await open()
      })
      afterEach(() => fixture.close())

      const files = async (): Promise<Map<string, unknown>> =>
        new Map([...(await fixture.readTree())].filter(([path, { kind }]) => kind !== 'folder' && !path.includes('.devloop-')))

      it('tells what is there and what changes', async () => {
        const { session, root, shell } = fixture
        await session.apply(
          oddNames.map((odd) => fileOp(`${root}/odd/${odd}`, odd, 0o600)),
          never,
        )
        let held = new Map<string, Entry | undefined>()
        const put = (path: string, entry: Wanted | undefined): void => {
          for (const one of held.keys()) if (one.startsWith(`${path}/`)) held.delete(one)
          if (entry?.kind === 'absent') held.delete(path)
          else held.set(path, entry)
        }
        const watch = await session.watch?.(
          {
            places: [root],
            skip: [`${root}/skipped`],
            onList: (entries) => void (held = new Map(entries)),
            onChange: (entries) => entries.forEach(([path, entry]) => put(path, entry)),
          },
          never,
        )
        const follows = async (what: string): Promise<void> => {
          await waitFor(
            async () => {
              const wanted = [...(await files())].filter(([path]) => !path.startsWith('skipped/'))
              return (
                wanted.length === held.size &&
                wanted.every(([path, entry]) => sameEntry(held.get(`${root}/${path}`), entry as Entry))
              )
            },
            { what: `${what} to be told`, timeoutMs: 30_000 },
          )
        }
        await follows('what is there')
        await shell(
          'cd "$ROOT" && mkdir -p a/b skipped && echo 1 > a/b/c && ln -s b a/link && echo 2 > top && echo x > skipped/x',
        )
        await follows('what is new')
        await shell('cd "$ROOT" && chmod 700 top && mv a moved && echo 3 > moved/b/d && rm -r odd')
        await follows('what is moved and deleted')
        await shell('cd "$ROOT" && rm -r moved && echo file > moved && rm top && mkdir top && echo in > top/in')
        await follows('what became something else')
        // what it writes itself is told too, with the content that it has
        await session.apply([fileOp(`${root}/own`, 'own')], never)
        await follows('its own')
        watch?.stop()
        expect(await watch?.ended).toBe(undefined)
      }, 120_000)

      it('gives the bytes of files', async () => {
        const { session, root } = fixture
        const large = randomBytes(3_000_000)
        const contents = { empty: Buffer.alloc(0), small: Buffer.from('small\0\n\x1e'), large, "it's odd\n": Buffer.from('odd') }
        await session.apply(
          Object.entries(contents).map(([path, content]) => fileOp(`${root}/${path}`, content)),
          never,
        )
        for (const [path, content] of Object.entries(contents)) {
          const pieces: Buffer[] = []
          for await (const piece of session.read?.(`${root}/${path}`, content.length, never) ?? []) pieces.push(piece)
          expect([path, Buffer.concat(pieces).equals(content)]).toEqual([path, true])
        }
        const none = async (): Promise<void> => {
          for await (const piece of session.read?.(`${root}/none`, 5, never) ?? []) void piece
        }
        await expect(none()).rejects.toMatchObject({ code: 'sync/failed' })
      })

      it('writes over what is expected, and leaves everything else alone', async () => {
        const { session, root, shell } = fixture
        await shell(
          'cd "$ROOT" && printf theirs > file && printf x > gone && ln -s file link && mkdir -p full/of empty && printf x > full/of/x && printf x > "it\'s odd" && chmod 644 file gone full/of/x "it\'s odd"',
        )
        const guarded = (path: string, expected: Wanted) => ({ ...fileOp(`${root}/${path}`, 'ours'), expected })
        const link = (path: string, expected: Wanted) =>
          ({ op: 'link', path: `${root}/${path}`, target: 'ours', expected }) as const
        const remove = (path: string, expected: Wanted) => ({ op: 'delete', path: `${root}/${path}`, expected }) as const
        const before = await files()
        const wrong = [
          guarded('file', fileEntry('older')),
          guarded('full', absent),
          guarded('file/below', absent),
          guarded('link/below', absent),
          guarded('none', fileEntry('older')),
          link("it's odd", absent),
          remove('gone', fileEntry('older')),
          remove('link', { kind: 'link', target: 'other' }),
        ]
        expect([...(await session.apply(wrong, never))].sort()).toEqual(wrong.map(({ path }) => path).sort())
        expect(await files()).toEqual(before)
        const large = Buffer.alloc(600_000, 'x')
        const right = [
          guarded('file', fileEntry('theirs')),
          guarded('new/deep/file', absent),
          guarded('empty', absent),
          { ...fileOp(`${root}/large`, large), expected: absent },
          link("it's odd", fileEntry('x')),
          link('link', { kind: 'link', target: 'file' }),
          remove('gone', fileEntry('x')),
        ]
        expect([...(await session.apply(right, never))]).toEqual([])
        expect(await files()).toEqual(
          new Map<string, unknown>([
            ['file', fileEntry('ours')],
            ['new/deep/file', fileEntry('ours')],
            ['empty', fileEntry('ours')],
            ['large', fileEntry(large)],
            ["it's odd", { kind: 'link', target: 'ours' }],
            ['link', { kind: 'link', target: 'ours' }],
            ['full/of/x', fileEntry('x')],
          ]),
        )
        expect((await shell('ls -a "$ROOT"')).includes('.devloop-')).toBe(false)
      })
    },
  )
}
