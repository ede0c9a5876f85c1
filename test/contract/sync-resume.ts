// What every sync transport with a stream must do with a large file whose stream is cut. Applied to each by a test file beside this one.
import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { SyncOp } from '../../src/ports/sync-transport.js'
import { waitFor } from '../support/wait-for.js'
import { chunked, fileEntry, fileOp } from './sync-samples.js'
import type { SyncFixture, SyncTransportSuite } from './sync-transport.js'

const never = new AbortController().signal

/** Declares the suite. */
export function syncResumeSuite({ name, missing, open }: SyncTransportSuite): void {
  describe.skipIf(missing !== undefined)(
    `sync transport that is cut: ${missing === undefined ? name : `${name} (${missing})`}`,
    () => {
      let fixture: SyncFixture
      beforeEach(async () => {
        fixture = await open()
      })
      afterEach(() => fixture.close())

      it('a large file goes on where its stream was cut', async () => {
        const { session, root, readTree, reopen, cut, sent, shell } = fixture
        if (!cut) return
        const size = 40 * 1024 * 1024
        const content = randomBytes(size)
        const slowly = (until: number, then: () => Promise<void>): SyncOp =>
          ({
            ...fileOp(`${root}/file`, content, 0o640),
            content: () =>
              Promise.resolve(
                Readable.from(
                  (async function* () {
                    for (let from = 0; from < size; from += 256 * 1024) {
                      if (from === until) await then()
                      yield content.subarray(from, from + 256 * 1024)
                    }
                  })(),
                ),
              ),
          }) as SyncOp
        const parts = (): Promise<string> => shell('cd "$ROOT"; for f in .devloop-part-*; do [ ! -f "$f" ] || wc -c < "$f"; done')
        const writing = session.apply(
          [
            slowly(32 * 1024 * 1024, async () => {
              // most of it has arrived by then
              await waitFor(async () => Number(await shell('cat "$ROOT"/.devloop-* 2>/dev/null | wc -c')) >= 16 * 1024 * 1024, {
                what: 'the first half to be written',
              })
              cut()
              await session.closed
            }),
          ],
          never,
        )
        await expect(writing).rejects.toMatchObject({ code: 'sync/disconnected' })
        // where the container cannot tell what is there, it is sent again
        const resumes = !/no sha256sum|no tar/.test(session.description)
        if (resumes) await waitFor(async () => Number(await parts()) >= 16 * 1024 * 1024, { what: 'the part to be set aside' })
        const before = sent?.()
        const again = await reopen()
        await again.apply([slowly(0, () => Promise.resolve())], never)
        expect((await readTree()).get('file')).toEqual(fileEntry(content, 0o640))
        if (resumes && sent && before !== undefined) expect(sent() - before).toBeLessThan(size * 0.7)
        await waitFor(async () => (await readTree()).size === 1, { what: 'nothing to be left over' })
      }, 60_000)

      it('what was set aside of another file, or is not what it should be, does no harm', async () => {
        const { root, readTree, reopen, session, shell } = fixture
        await session.close()
        const content = randomBytes(9 * 1024 * 1024)
        const op = fileOp(`${root}/file`, content) as Extract<SyncOp, { op: 'file' }>
        await shell(`printf 'no beginning of it' > "$ROOT/.devloop-part-${op.hash}"`)
        const again = await reopen()
        const stream = { ...op, content: () => Promise.resolve(Readable.from(chunked(content, 65_536))) }
        await again.apply([stream], never).catch((thrown: unknown) => {
          expect(thrown).toMatchObject({ code: 'sync/failed' })
          return again.apply([stream], never)
        })
        expect((await readTree()).get('file')).toEqual(fileEntry(content))
      }, 60_000)
    },
  )
}
