// Whether pods go without the agent: only where the cluster refuses them because of it, and of nothing else.
import { describe, expect, test } from 'vitest'
import { createAgentAdmission } from '../../../../../src/adapters/kube/agent/agent-admission.js'
import { objectRefusal, podRefusal } from '../../../../../src/adapters/kube/agent/pod-refusal.js'
import type { KubeConnection, KubeRequest } from '../../../../../src/adapters/kube/connection.js'
import { KubeStatusError } from '../../../../../src/adapters/kube/errors.js'
import type { KubeObject } from '../../../../../src/model/plan.js'
import { position } from '../deploy/fixtures.js'

const never = new AbortController().signal

const workload = (agent: boolean, account?: string): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'dev' },
  spec: {
    template: {
      spec: {
        ...(account === undefined ? {} : { serviceAccountName: account }),
        ...(agent ? { initContainers: [{ name: 'devloop-agent' }] } : {}),
        containers: [{ name: 'main' }],
      },
    },
  },
})

/** An API server of which only refusals are of interest. @param refusal gives status code and message for a body; undefined = it is taken */
function server(refusal: (text: string) => readonly [number, string] | undefined): {
  connection: KubeConnection
  asked: string[]
} {
  const asked: string[] = []
  const request = (method: string, path: string, { body, query }: KubeRequest = {}): Promise<unknown> => {
    expect(query).toMatchObject({ dryRun: 'All' })
    asked.push(`${method} ${path}`)
    const [code, message] = refusal(JSON.stringify(body)) ?? []
    return code === undefined
      ? Promise.resolve({})
      : Promise.reject(new KubeStatusError({ code, reason: '', message: message ?? '' }))
  }
  return { connection: { namespace: 'dev', request } as unknown as KubeConnection, asked }
}

const target = (object = workload(true)) => ({
  rendered: { object, at: position, template: 't1', agent: 'put' as const },
  path: '/apis/apps/v1/namespaces/dev/deployments/web',
  live: undefined,
})
const plain = (object = workload(false)) => Promise.resolve([{ object, at: position }])

const strangers = (text: string): readonly [number, string] | undefined =>
  text.includes('devloop-agent') ? [403, 'no strangers'] : undefined

describe('refusal', () => {
  test('is that of the agent where the pod is taken without it', async () => {
    const { connection, asked } = server(strangers)
    expect(await createAgentAdmission(connection).refusal([target()], () => plain(), never)).toBe('no strangers')
    expect(asked).toEqual(['POST /api/v1/namespaces/dev/pods', 'POST /api/v1/namespaces/dev/pods'])
  })

  test('is none where the pod is refused in any case, and what was admitted is not asked again', async () => {
    const refused = server(() => [403, 'nobody may'])
    expect(await createAgentAdmission(refused.connection).refusal([target()], () => plain(), never)).toBeUndefined()
    const { connection, asked } = server(() => undefined)
    const admission = createAgentAdmission(connection)
    for (let time = 0; time < 2; time++) expect(await admission.refusal([target()], () => plain(), never)).toBeUndefined()
    expect(asked).toHaveLength(1)
  })

  test('is found behind a service account that is still to come', async () => {
    const { connection } = server((text) =>
      text.includes('"later"')
        ? [403, 'pods "x" is forbidden: error looking up service account dev/later: not found']
        : strangers(text),
    )
    const admission = createAgentAdmission(connection)
    const why = await admission.refusal([target(workload(true, 'later'))], () => plain(workload(false, 'later')), never)
    expect(why).toBe('no strangers')
  })

  test('is none where the cluster is in trouble for a moment', async () => {
    for (const code of [429, 500, 503]) {
      const { connection } = server((text) => strangers(text) && [code, 'failed calling webhook'])
      expect(await createAgentAdmission(connection).refusal([target()], () => plain(), never)).toBeUndefined()
    }
  })

  test('is also that of the object itself, where that is asked for', async () => {
    const { connection, asked } = server((text) => (text.includes('"kind":"Pod"') ? undefined : strangers(text)))
    expect(await podRefusal(connection, workload(true), never)).toBeUndefined()
    const admission = createAgentAdmission(connection, (object, path, signal) => objectRefusal(connection, object, path, signal))
    expect(await admission.refusal([target()], () => plain(), never)).toBe('no strangers')
    expect(asked.at(-1)).toBe('PATCH /apis/apps/v1/namespaces/dev/deployments/web')
  })
})
