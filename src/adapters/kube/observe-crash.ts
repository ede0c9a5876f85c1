// The last lines of containers that crashed, for their errors: asked for once for each dead container.
import type { ErrorInfo } from '../../errors/devloop-error.js'
import type { KubeConnection } from './connection.js'
import { splitLines } from './lines.js'
import type { PodRecord } from './observe-pod.js'

export interface CrashTails {
  /** The record with what its crashed containers said last, as far as that is known; asks for what is not. */
  addTo(uid: string, record: PodRecord): PodRecord
  /** A pod is gone. */
  forget(uid: string): void
}

const tailLines = 10
const maxCharacters = 2000
/** Milliseconds. */
const patience = 10_000

/** @param onTail called with a pod's uid when more is known of it */
export function createCrashTails(connection: KubeConnection, onTail: (uid: string) => void, signal: AbortSignal): CrashTails {
  /** By pod uid and container name; only of the newest container in a place. */
  const tails = new Map<string, Map<string, { readonly containerId: string; text: string }>>()

  const ask = async (
    uid: string,
    { name, namespace }: PodRecord['pod'],
    container: string,
    containerId: string,
  ): Promise<void> => {
    const known = tails.get(uid) ?? new Map<string, { containerId: string; text: string }>()
    tails.set(uid, known)
    const tail = { containerId, text: '' }
    known.set(container, tail)
    try {
      const response = await connection.stream(`/api/v1/namespaces/${namespace}/pods/${name}/log`, {
        query: { container, tailLines: String(tailLines) },
        accept: '*/*',
        what: `read the log of ${name}/${container} in ${namespace}`,
        signal: AbortSignal.any([signal, AbortSignal.timeout(patience)]),
      })
      const lines: string[] = []
      for await (const line of splitLines(response, maxCharacters)) lines.push(line)
      const text = lines.join('\n').trimEnd()
      tail.text = text.length > maxCharacters ? `…${text.slice(-maxCharacters)}` : text
      if (tail.text !== '') onTail(uid)
    } catch {
      // the error is whole without it
    }
  }

  return {
    addTo(uid, record) {
      let { error } = record
      const containers = record.pod.containers.map((container) => {
        const { name, containerId, running, error: own } = container
        if (own?.code !== 'pod/crashed' || running || containerId === '') return container
        const tail = tails.get(uid)?.get(name)
        if (tail?.containerId !== containerId) void ask(uid, record.pod, name, containerId)
        const text = tail?.text ?? ''
        // while the next one dies too, what the last one said is better than nothing
        if (text === '') return container
        const told: ErrorInfo = { ...own, why: [own.why, 'It said last:', text].filter(Boolean).join('\n') }
        if (error === own) error = told
        return { ...container, error: told }
      })
      return error === record.error ? record : { ...record, error, pod: { ...record.pod, containers } }
    },
    forget: (uid) => void tails.delete(uid),
  }
}
