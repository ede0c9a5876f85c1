// In which order resources are taken away, and what stays when one cannot be.
import { expect, test } from 'vitest'
import { removeAll, type DownChoice, type DownStep } from '../../../src/daemon/remove-all.js'
import { DevloopError } from '../../../src/errors/devloop-error.js'
import type { Runtime, SharedThings } from '../../../src/ports/runtime.js'
import { appSpec, plan } from '../../support/states.js'

const shop = plan([
  appSpec('db'),
  appSpec('api', { needs: ['codegen', 'db'] }),
  appSpec('codegen', { needs: ['cache'] }),
  appSpec('cache'),
  appSpec('web', { needs: ['api'] }),
])

async function removing(
  deployed: readonly string[],
  choice: DownChoice & { only?: readonly string[] } = {},
  stuck: readonly string[] = [],
): Promise<{ well: boolean; removed: string[]; shared: SharedThings[]; steps: DownStep[] }> {
  const [removed, shared, steps]: [string[], SharedThings[], DownStep[]] = [[], [], []]
  const runtime = {
    deployed: async () => deployed,
    remove: async (name: string) => {
      // an answer takes its time
      await new Promise((resolve) => setImmediate(resolve))
      if (stuck.includes(name)) throw new DevloopError('cluster/error', `${name} is stuck`, { help: 'Look at it.' })
      removed.push(name)
      return [`deployment/${name}`]
    },
    removeShared: async (what: SharedThings) => {
      shared.push(what)
      return what.generated ? ['secret/generated'] : []
    },
  } as Partial<Runtime> as Runtime
  const well = await removeAll(runtime, shop, choice, (step) => steps.push(step), new AbortController().signal)
  return { well, removed, shared, steps }
}

test('what needs others goes before them, also by way of something that is not deployed', async () => {
  const { well, removed, shared, steps } = await removing(['cache', 'db', 'gone-from-the-plan', 'api', 'web'])
  expect(removed).toHaveLength(5)
  expect(removed.filter((name) => name !== 'gone-from-the-plan')).toEqual(['web', 'api', expect.any(String), expect.any(String)])
  expect(removed.slice(-2).toSorted()).toEqual(['cache', 'db'])
  expect([well, shared]).toEqual([true, [{ generated: false, namespaces: false }]])
  expect(steps).toContainEqual({ resource: 'db', level: 'info', text: 'deleted deployment/db', done: 5, total: 5 })
})

test('what could not be removed is told, what it needs stays, and the rest goes', async () => {
  const { well, removed, shared, steps } = await removing(['db', 'cache', 'api', 'web', 'other'], {}, ['api'])
  expect(removed.toSorted()).toEqual(['other', 'web'])
  expect([well, shared]).toEqual([false, []])
  const errors = steps.filter((step) => step.level === 'error').map(({ resource, text }) => `${resource}: ${text}`)
  expect(errors.toSorted()).toEqual([
    'api: api is stuck Look at it.',
    'cache: it stays, because api needs it and could not be removed',
    'db: it stays, because api needs it and could not be removed',
  ])
})

test('single resources, and what belongs to none', async () => {
  expect(await removing(['db', 'api'], { only: ['db', 'web'] })).toMatchObject({ well: true, removed: ['db'], shared: [] })
  const all = await removing([], { deleteGenerated: true, deleteNamespace: true })
  expect(all).toMatchObject({
    shared: [{ generated: true, namespaces: true }],
    steps: [{ resource: '', level: 'info', text: 'deleted secret/generated' }],
  })
})
