// What a sync transport that can list must do. Applied to each by a test file beside this one.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Entry } from '../../src/model/tree.js'
import { fileEntry, fileOp, oddNames } from './sync-samples.js'
import type { SyncFixture, SyncTransportSuite } from './sync-transport.js'

const never = new AbortController().signal

/** Declares the suite. */
export function syncListSuite({ name, missing, open }: SyncTransportSuite): void {
  describe.skipIf(missing !== undefined)(
    `sync transport that lists: ${missing === undefined ? name : `${name} (${missing})`}`,
    () => {
      let fixture: SyncFixture
      beforeEach(async () => {
        fixture = await open()
      })
      afterEach(() => fixture.close())

      it('lists everything below the roots but what is skipped, beside other calls', async () => {
        const { session, root, readTree, shell } = fixture
        const listed = async (skip: readonly string[] = [], signal = never): Promise<Map<string, Entry | undefined>> => {
          const found = new Map<string, Entry | undefined>()
          await session.list?.({ skip, onEntry: (path, entry) => found.set(path.slice(root.length + 1), entry) }, signal)
          return found
        }
        expect(await listed()).toEqual(new Map())
        await session.apply(
          [
            ...oddNames.map((odd) => fileOp(`${root}/odd/${odd}`, odd, 0o600)),
            ...Array.from({ length: 1000 }, (_, number) => fileOp(`${root}/many/d${number % 30}/${number}.js`, `${number}`)),
            { op: 'link', path: `${root}/link`, target: 'many' },
          ],
          never,
        )
        await shell('cd "$ROOT" && mkdir empty && mkfifo fifo && mkdir odd/.devloop-0badcafe && echo x > odd/.devloop-0badcafe/f')
        const tree = [...(await readTree())].filter(([path, { kind }]) => kind !== 'folder' && !path.includes('.devloop-'))
        expect(tree.length).toBe(oddNames.length + 1001)
        expect(await listed()).toEqual(new Map(tree))
        const others = tree.filter(([path]) => !path.startsWith('many/d1/') && !path.startsWith('odd/'))
        expect(await listed([`${root}/many/d1`, `${root}/odd`])).toEqual(new Map(others))

        const controller = new AbortController()
        const [aborted, written] = await Promise.allSettled([
          session.list?.({ skip: [], onEntry: () => controller.abort() }, controller.signal),
          session.apply([fileOp(`${root}/meanwhile`, 'x')], never),
        ])
        expect(aborted).toMatchObject({ status: 'rejected', reason: { name: 'AbortError' } })
        expect(written.status).toBe('fulfilled')
        expect((await listed()).get('meanwhile')).toEqual(fileEntry('x'))
        await session.close()
        await expect(listed()).rejects.toMatchObject({ code: 'sync/disconnected' })
      })
    },
  )
}
