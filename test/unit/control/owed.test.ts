import { expect, test } from 'vitest'
import { nothingOwed, noteOwed, notePaid, readJournal } from '../../../src/control/owed.js'
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
