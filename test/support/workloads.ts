// Workloads as manifests, projects of them alone, and all that devloop logs of those.
import { onTestFinished } from 'vitest'
import type { LogEntry } from '../../src/protocol/messages.js'
import type { Watching } from './devloop.js'
import type { Names } from './loop.js'

/** A Devloopfile of manifests alone. */
export const objects =
  (list: readonly object[], over = '') =>
  ({ name, namespace, base }: Names): string =>
    `
import { defineDevloop, manifests } from 'devloop'
export default defineDevloop(() => ({
  name: '${name}', cluster: { contexts: ['*'], namespace: '${namespace}' },
  resources: [manifests('it', ${JSON.stringify(list).replaceAll('IMAGE', base)}, { ${over} })],
}))
`
export const sh = (name: string, script: string, more: object = {}): object => ({
  name,
  image: 'IMAGE',
  command: ['sh', '-c', script],
  ...more,
})
export const workload = (apiVersion: string, kind: string, name: string, pod: object, more: object = {}): object => ({
  apiVersion,
  kind,
  metadata: { name },
  spec: {
    ...more,
    ...(kind === 'Job' ? {} : { selector: { matchLabels: { app: name } } }),
    template: { metadata: { labels: { app: name } }, spec: { terminationGracePeriodSeconds: 0, ...pod } },
  },
})

/** A Deployment `web` as YAML. @param pod lines of the spec of its pods; empty ones are left out */
export const deploymentYaml = (...pod: readonly string[]): string => `apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 1
${pod.flatMap((line) => (line === '' ? [] : [`      ${line}\n`])).join('')}`

/** Every line that the daemon logs, from now on. */
export function listen(watching: Watching): { readonly lines: LogEntry[]; of(container: string): string[] } {
  const lines: LogEntry[] = []
  onTestFinished(watching.client.logs({ after: 0 }, (message) => void lines.push(...message.lines)))
  return {
    lines,
    of: (container) => lines.filter((one) => one.container === container).map(({ text }) => text),
  }
}
