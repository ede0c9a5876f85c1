import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createStateFiles } from '../../../src/adapters/disk/state-files.js'
import { nothingOwed, noteOwed, notePaid, readJournal, shortenJournals } from '../../../src/control/owed.js'
import type { StateFiles } from '../../../src/ports/state-files.js'

test('what was begun and not finished is owed after a restart; what was paid is not', async () => {
  const [entries, ofPlace] = [new Set<string>(), new Set<string>()]
  const files = {
    touch: (id: string, paths: readonly string[]) =>
      Promise.resolve(paths.forEach((path) => (id === 'c' ? entries : ofPlace).add(path))),
  } as unknown as StateFiles
  await noteOwed(files, 'c', 'n/p/c', ['/app/a'], { steps: new Set(['npm ci']), restart: false, signals: new Set() }, 1)
  await notePaid(files, 'c', 1)
  await noteOwed(files, 'c', 'n/p/c', ['/app/a', '/app/b'], { steps: new Set(), restart: true, signals: new Set(['SIGHUP']) }, 2)
  expect(readJournal(entries)).toEqual({
    paths: ['/app/a', '/app/b'],
    owed: { steps: new Set(), restart: true, signals: new Set(['SIGHUP']) },
    last: 2,
  })
  await notePaid(files, 'c', 2)
  await noteOwed(files, 'c', 'n/p/c', ['/app/c'], nothingOwed(), 3)
  expect(readJournal(entries)).toEqual({ paths: ['/app/a', '/app/b', '/app/c'], owed: nothingOwed(), last: 2 })
  // whoever has its place in the pod next owes none of it
  expect([...ofPlace]).toEqual(['/app/a', '/app/b', '/app/c'])
})

test('the journals of a container that lives long stay small', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'devloop-owed-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  const open = () => createStateFiles({ dir, project: 'p', instance: 'i' })
  let files = open()
  let shortened = 0
  const owed = { steps: new Set<string>(), restart: true, signals: new Set<never>() }
  for (let number = 1; number <= 3000; number++) {
    // each daemon begins where the one before it ended
    if (number % 100 === 0) {
      await files.close()
      files = open()
    }
    await noteOwed(files, 'c', 'n/p/c', [`/app/f${number % 7}`], owed, number)
    await notePaid(files, 'c', number)
    shortened = await shortenJournals(files, 'c', 'n/p/c', number, shortened)
  }
  await noteOwed(files, 'c', 'n/p/c', ['/app/last'], owed, 3001)
  const journal = readJournal((await files.touched('c')) ?? new Set())
  expect(journal).toMatchObject({ owed: { restart: true }, last: 3001 })
  expect(journal.paths).toHaveLength(8)
  expect((await files.touched('n/p/c'))?.size).toBe(8)
  const sizes = await Promise.all(
    (await readdir(join(dir, 'touched'))).map(async (name) => (await stat(join(dir, 'touched', name))).size),
  )
  expect(sizes).toHaveLength(2)
  for (const size of sizes) expect(size).toBeLessThan(2000)
  await files.close()
})
