// What the pods of a chart's hooks said last: Helm itself only tells that a hook failed.
import type { KubeObject } from '../../../model/plan.js'
import type { KubeConnection } from '../connection.js'
import type { Pod } from '../observe-shapes.js'
import { isHook } from './finish-release.js'

const tailLines = 10

/** Of the Jobs and Pods that failed, in words; empty where there is nothing to read. Never rejects. */
export async function failedHooks(
  connection: KubeConnection,
  objects: readonly KubeObject[],
  namespace: string,
): Promise<string> {
  const told = objects.filter(isHook).map(async ({ kind, metadata }): Promise<string> => {
    const space = metadata.namespace ?? namespace
    const pods = `/api/v1/namespaces/${encodeURIComponent(space)}/pods`
    const query =
      kind === 'Job' ? { labelSelector: `job-name=${metadata.name}` } : { fieldSelector: `metadata.name=${metadata.name}` }
    if (kind !== 'Job' && kind !== 'Pod') return ''
    const { items } = (await connection.request('GET', pods, { query })) as { items: Pod[] }
    const failed = items.findLast(({ status }) => status?.phase === 'Failed')
    if (!failed) return ''
    const container = failed.status?.containerStatuses?.find(({ state }) => (state?.terminated?.exitCode ?? 0) !== 0)?.name
    const response = await connection.stream(`${pods}/${failed.metadata.name}/log`, {
      query: { container, tailLines },
      accept: '*/*',
      signal: AbortSignal.timeout(10_000),
    })
    let text = ''
    for await (const part of response) text += String(part)
    return text.trim() === '' ? '' : `${kind.toLowerCase()}/${metadata.name} said last:\n${text.trimEnd()}`
  })
  const all = await Promise.all(told.map((one) => one.catch(() => '')))
  return all.filter(Boolean).join('\n')
}
