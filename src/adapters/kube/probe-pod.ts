// One small pod that is made, runs to its end and is deleted: whether nodes can pull from where devloop pushes, and whether names are
// known in the cluster. It asks for as little as a strict cluster allows (Pod Security `restricted`).
import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { DevloopError, isAbort, toErrorInfo, type ErrorInfo } from '../../errors/devloop-error.js'
import { isDenial, statusOf } from './errors.js'
import type { KubeConnection } from './connection.js'
import { managedBy, managedByLabel } from './labels.js'
import { containerError } from './observe-container.js'
import type { ContainerStatus } from './observe-shapes.js'

export interface PodProbe {
  /** The image, as nodes pull it. It holds the agent and nothing else. */
  readonly image: string
  /** Names of the Secrets to pull with. */
  readonly pullSecrets: readonly string[]
  /** A name that is to be looked up in the pod. */
  readonly host: string
}

/** What came of it. */
export type ProbeOutcome =
  /** `unknown`: why the name was not found. */
  | { readonly kind: 'ran'; readonly node: string; readonly ms: number; readonly unknown?: string }
  /** The cluster would not have such a pod: a policy, a quota, a right that is missing. It says nothing of other pods. */
  | { readonly kind: 'refused'; readonly error: ErrorInfo }
  /** It could not run: the image cannot be pulled, for example. */
  | { readonly kind: 'failed'; readonly error: ErrorInfo }
  /** It was not started in time; what it waited for. */
  | { readonly kind: 'late'; readonly waited: string }

/** On the pod and its account, so that what a killed doctor left behind is found. */
export const probeLabel = 'devloop.dev/doctor'
/** Older ones are deleted by the next. Seconds. */
const leftBehind = 120
const askMs = 200

interface ProbePod {
  readonly metadata: { readonly name: string; readonly creationTimestamp?: string }
  readonly spec?: { readonly nodeName?: string }
  readonly status?: {
    readonly phase?: string
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[]
    readonly containerStatuses?: readonly ContainerStatus[]
  }
}

/**
 * @param limitMs how long the pod may take from its making to its end
 * @throws DevloopError cluster/*; AbortError, with nothing left behind
 */
export async function probeByPod(
  connection: KubeConnection,
  probe: PodProbe,
  limitMs: number,
  signal: AbortSignal,
): Promise<ProbeOutcome> {
  const { namespace } = connection
  const name = `devloop-doctor-${randomBytes(4).toString('hex')}`
  const core = `/api/v1/namespaces/${encodeURIComponent(namespace)}`
  const labels = { [managedByLabel]: managedBy, [probeLabel]: 'probe' }
  // ends by itself, whatever becomes of the signal: what was made must be deleted
  const remove = (path: string): Promise<unknown> =>
    connection.request('DELETE', path, { query: { gracePeriodSeconds: 0 }, timeoutMs: 3000 }).catch(() => undefined)

  await sweep(connection, core, signal)
  // some clusters refuse pods of the account that all share
  const account = await connection
    .request('POST', `${core}/serviceaccounts`, {
      body: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, labels }, automountServiceAccountToken: false },
      what: `make serviceaccount/${name} in ${namespace}`,
      signal,
    })
    .then(
      () => name,
      (thrown: unknown) => {
        if (isAbort(thrown) || !statusOf(thrown)) throw thrown
        return undefined
      },
    )
  const began = performance.now()
  try {
    const what = `make pod/${name} in ${namespace}`
    await connection.request('POST', `${core}/pods`, { body: podOf(probe, name, labels, account), what, signal })
    const pod = await ended(connection, `${core}/pods/${name}`, began + limitMs, signal)
    return outcomeOf(pod, probe, performance.now() - began)
  } catch (thrown) {
    const status = statusOf(thrown)
    if (isAbort(thrown) || !status || (status.code !== 403 && !isDenial(status))) throw thrown
    const error = isDenial(status)
      ? new DevloopError('cluster/denied', `A pod in ${namespace} is not admitted by the cluster.`, { why: status.message }).info
      : toErrorInfo(thrown)
    return { kind: 'refused', error }
  } finally {
    await Promise.all([remove(`${core}/pods/${name}`), ...(account ? [remove(`${core}/serviceaccounts/${account}`)] : [])])
  }
}

/** The pod at its end, or as it is when the time is over, or when it can come to nothing. */
async function ended(connection: KubeConnection, path: string, until: number, signal: AbortSignal): Promise<ProbePod> {
  for (;;) {
    const pod = (await connection.request('GET', path, { signal })) as ProbePod
    const { phase } = pod.status ?? {}
    const hopeless = problemOf(pod, '')?.code === 'pod/image' || problemOf(pod, '')?.code === 'pod/config'
    if (phase === 'Succeeded' || phase === 'Failed' || hopeless || performance.now() > until) return pod
    await pause(askMs, undefined, { signal })
  }
}

const problemOf = ({ metadata, status }: ProbePod, image: string): ErrorInfo | undefined => {
  const [container] = status?.containerStatuses ?? []
  return container && containerError(metadata.name, { name: container.name, image }, container, undefined)
}

function outcomeOf(pod: ProbePod, { image, host }: PodProbe, ms: number): ProbeOutcome {
  const node = pod.spec?.nodeName ?? ''
  const [container] = pod.status?.containerStatuses ?? []
  const end = container?.state?.terminated
  if (end?.exitCode === 0 && pod.status?.phase !== 'Failed') return { kind: 'ran', node, ms }
  // the program itself says so: anything else has another code
  if (end?.exitCode === 1) return { kind: 'ran', node, ms, unknown: end.message?.trim() || `${host} was not found` }
  const error = problemOf(pod, image)
  if (error) return { kind: 'failed', error }
  const scheduled = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled')
  if (scheduled?.status === 'False') {
    const why = scheduled.message
    return { kind: 'failed', error: new DevloopError('pod/unschedulable', 'No node takes the pod.', { why }).info }
  }
  return { kind: 'late', waited: container?.state?.waiting?.reason ?? (node === '' ? 'a node' : `its start on ${node}`) }
}

function podOf(
  { image, pullSecrets, host }: PodProbe,
  name: string,
  labels: Readonly<Record<string, string>>,
  account: string | undefined,
): object {
  const resources = { cpu: '10m', memory: '32Mi' }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    // a mesh's sidecar would never end
    metadata: {
      name,
      labels: { ...labels, 'sidecar.istio.io/inject': 'false' },
      annotations: { 'linkerd.io/inject': 'disabled' },
    },
    spec: {
      restartPolicy: 'Never',
      activeDeadlineSeconds: leftBehind,
      terminationGracePeriodSeconds: 0,
      ...(account ? { serviceAccountName: account } : {}),
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      ...(pullSecrets.length > 0 ? { imagePullSecrets: pullSecrets.map((secret) => ({ name: secret })) } : {}),
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: 'doctor',
          image,
          imagePullPolicy: 'IfNotPresent',
          args: ['lookup', host],
          // why it failed is told without the right to read logs
          terminationMessagePolicy: 'FallbackToLogsOnError',
          resources: { requests: resources, limits: resources },
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
        },
      ],
    },
  }
}

/** Delete what a doctor left behind that was killed. That it cannot be done is no error. */
async function sweep(connection: KubeConnection, core: string, signal: AbortSignal): Promise<void> {
  for (const kind of ['pods', 'serviceaccounts']) {
    try {
      const { items } = (await connection.request('GET', `${core}/${kind}`, {
        query: { labelSelector: probeLabel, limit: 50 },
        signal,
      })) as { items: readonly ProbePod[] }
      const isOld = ({ metadata }: ProbePod): boolean =>
        Date.parse(metadata.creationTimestamp ?? '') < Date.now() - leftBehind * 1000
      for (const { metadata } of items.filter(isOld))
        await connection.request('DELETE', `${core}/${kind}/${encodeURIComponent(metadata.name)}`, { signal })
    } catch (thrown) {
      if (isAbort(thrown)) throw thrown
    }
  }
}
