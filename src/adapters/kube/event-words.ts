// What the cluster's warning events mean, in plain words, and what to do about them. Pure.
//
// Reasons: pkg/kubelet/events/event.go, the scheduler's and the controllers' sources of Kubernetes 1.30.
import type { ErrorCode } from '../../errors/codes.js'

export interface EventWords {
  readonly code: ErrorCode
  /** Follows the name of what it is about: `Pod web-1 cannot mount a volume`. */
  readonly words: string
  /** What to do; undefined = what the code says. */
  readonly help?: string
  /** The pod cannot start as long as this lasts; else it is only a hint why it is not ready. */
  readonly blocks?: true
  /** The pod's own status says it better. */
  readonly idle?: true
}

const probe = (words: string, help: string): EventWords => ({ code: 'rollout/timeout', words, help })

const byReason: Readonly<Record<string, EventWords>> = {
  FailedScheduling: { code: 'pod/unschedulable', words: 'finds no node that can take it', idle: true },
  FailedMount: { code: 'pod/config', words: 'cannot mount a volume', blocks: true },
  FailedAttachVolume: { code: 'pod/config', words: 'cannot attach a volume', blocks: true },
  FailedMapVolume: { code: 'pod/config', words: 'cannot map a volume', blocks: true },
  VolumeResizeFailed: { code: 'pod/config', words: 'has a volume that cannot be resized' },
  FailedCreatePodSandBox: {
    code: 'pod/config',
    words: 'gets no network or sandbox on its node',
    help: "Look at the node's network plugin and container runtime; it is tried again by itself.",
    blocks: true,
  },
  FailedCreatePodContainer: { code: 'pod/config', words: 'cannot be set up on its node', blocks: true },
  NetworkNotReady: {
    code: 'pod/config',
    words: 'waits for the network of its node',
    help: "Wait for the node's network plugin, or look at its pods in kube-system.",
    blocks: true,
  },
  Evicted: {
    code: 'pod/crashed',
    words: 'was put off its node, which ran out of a resource',
    help: "Free the node's disk or memory, or raise what the pod requests.",
  },
  Preempted: { code: 'pod/crashed', words: 'had to make room for a more important pod' },
  TaintManagerEviction: { code: 'pod/crashed', words: 'was put off its node' },
  OOMKilling: { code: 'pod/crashed', words: 'used more memory than it may', help: 'Raise its memory limit, or use less memory.' },
  ProbeWarning: probe('has a probe that warns', 'See what the probe asks for.'),
  FailedPostStartHook: {
    code: 'pod/config',
    words: 'has a postStart hook that fails',
    help: 'Correct the hook of the container.',
  },
  FailedPreStopHook: { code: 'pod/config', words: 'has a preStop hook that fails', idle: true },
  FailedCreate: {
    code: 'pod/config',
    words: 'cannot make its pods',
    help: 'Read the reason: a quota, a security policy, or a webhook that denies them.',
  },
  FailedDaemonPod: { code: 'pod/crashed', words: 'has a pod that failed on its node' },
  BackoffLimitExceeded: { code: 'pod/crashed', words: 'failed too often and is not tried again' },
  DeadlineExceeded: { code: 'rollout/timeout', words: 'took longer than its activeDeadlineSeconds' },
  ProvisioningFailed: {
    code: 'pod/config',
    words: 'gets no volume',
    help: 'Name a storage class that the cluster has: kubectl get storageclass',
  },
  FailedBinding: {
    code: 'pod/config',
    words: 'finds no volume to bind to',
    help: 'Name a storage class that the cluster has, or create a matching volume.',
  },
  FailedComputeMetricsReplicas: { code: 'cluster/error', words: 'cannot read the metrics that it scales by' },
  FailedGetResourceMetric: {
    code: 'cluster/error',
    words: 'cannot read the metrics that it scales by',
    help: 'Install a metrics server.',
  },
  InvalidDiskCapacity: { code: 'cluster/error', words: 'is told a wrong disk size', idle: true },
  // said better by the status of the pod, or said of a pod that is being replaced anyway
  BackOff: { code: 'pod/crashed', words: 'waits before it is tried again', idle: true },
  Failed: { code: 'pod/image', words: 'failed', idle: true },
  FailedKillPod: { code: 'pod/config', words: 'cannot be ended', idle: true },
  NodeNotReady: { code: 'cluster/error', words: 'is on a node that is not heard of', idle: true },
  InspectFailed: { code: 'pod/image', words: 'has an image that cannot be inspected', idle: true },
  ErrImageNeverPull: { code: 'pod/image', words: 'has an image that may not be pulled', idle: true },
}

/** What a message tells beyond its reason: the first that matches adds to the words, and says what to do. */
const byMessage: readonly { readonly reason: RegExp; readonly message: RegExp; readonly words: string; readonly help: string }[] =
  [
    {
      reason: /^FailedMount$/,
      message: /secret "([^"]+)" not found/,
      words: 'waits for the Secret $1, which does not exist',
      help: 'Create it, put it into the manifests, or correct the name.',
    },
    {
      reason: /^FailedMount$/,
      message: /configmap "([^"]+)" not found/,
      words: 'waits for the ConfigMap $1, which does not exist',
      help: 'Create it, put it into the manifests, or correct the name.',
    },
    {
      reason: /^FailedMount$/,
      message: /references non-existent (?:secret|config) key: (\S+)/,
      words: 'mounts the key $1, which does not exist',
      help: 'Correct the key, or add it to the Secret or ConfigMap.',
    },
    {
      reason: /^Unhealthy$/,
      message: /^Readiness probe (?:failed|errored)/,
      words: 'is not ready: its readiness probe fails',
      help: 'See whether the app listens where the probe asks, and how long it takes to start.',
    },
    {
      reason: /^Unhealthy$/,
      message: /^Liveness probe (?:failed|errored)/,
      words: 'is started again soon: its liveness probe fails',
      help: 'See whether the app hangs, or give the probe more time (initialDelaySeconds, timeoutSeconds).',
    },
    {
      reason: /^Unhealthy$/,
      message: /^Startup probe (?:failed|errored)/,
      words: 'has not started: its startup probe fails',
      help: 'See what the app waits for, or raise failureThreshold of the probe.',
    },
    {
      reason: /^FailedCreate$/,
      message: /exceeded quota: ([^,]+)/,
      words: 'cannot make its pods: the quota $1 is used up',
      help: 'Lower what the pods ask for, delete what is not needed, or raise the quota.',
    },
    {
      reason: /^FailedCreate$/,
      message: /violates PodSecurity/,
      words: "cannot make its pods: the namespace's pod security forbids them",
      help: 'Set the securityContext that the message asks for, or use another namespace.',
    },
    {
      reason: /^FailedCreate$/,
      message: /serviceaccount "([^"]+)" not found/,
      words: 'cannot make its pods: the service account $1 does not exist',
      help: 'Create it, or correct serviceAccountName.',
    },
  ]

/** What a warning event says; one with an unknown reason is told by it. */
export function eventWords(reason: string, message: string): EventWords {
  const known = Object.hasOwn(byReason, reason) ? byReason[reason] : undefined
  for (const { reason: reasons, message: pattern, words, help } of byMessage) {
    const found = reasons.test(reason) ? pattern.exec(message) : null
    if (found) return { code: 'rollout/timeout', ...known, words: words.replace('$1', found[1] ?? ''), help }
  }
  return known ?? { code: 'rollout/timeout', words: `has a problem (${reason})` }
}

/** What to do about a pod that no node can take, by the scheduler's words. */
export function schedulingHelp(message: string): string | undefined {
  if (/Insufficient (cpu|memory|ephemeral-storage)/.test(message))
    return "Lower what the pod asks for, or free the cluster's resources."
  if (/Insufficient (\S+)/.test(message)) return 'The nodes have too few of what the pod asks for: lower its requests.'
  if (/untolerated taint/.test(message)) return 'Give the pod a toleration for the taint, or remove the taint from a node.'
  if (/didn't match Pod's node affinity|node selector/.test(message))
    return 'Correct nodeSelector or affinity, or label a node accordingly: kubectl get nodes --show-labels'
  if (/unbound immediate PersistentVolumeClaims/.test(message))
    return 'Its volume claim has no volume: see `kubectl get pvc`, and whether the storage class exists.'
  if (/persistentvolumeclaim "([^"]+)" not found/.test(message)) return 'Create the volume claim, or correct its name.'
  if (/didn't have free ports/.test(message)) return 'Another pod has the hostPort: use a Service or another port.'
  if (/were unschedulable|node is unschedulable/.test(message)) return 'Allow pods on a node again: kubectl uncordon NODE'
  return undefined
}

/** What to do about an image that cannot be pulled, by the node's words. */
export function pullHelp(message: string): string | undefined {
  if (/toomanyrequests|rate limit/i.test(message)) return 'The registry limits pulls: log in, wait, or use a mirror.'
  if (/unauthorized|authentication required|denied|403 Forbidden|no basic auth/i.test(message))
    return 'Check the name; for a private registry give the pod an imagePullSecret that may read it.'
  if (/no match for platform/i.test(message))
    return "The image is not made for the node's platform: build it for that, or use another."
  if (/server gave HTTP response to HTTPS client/i.test(message))
    return 'The registry speaks plain HTTP: tell the nodes that it may (insecure registry).'
  if (/certificate|x509/i.test(message)) return "Let the nodes trust the registry's certificate."
  if (/not found|manifest unknown|name unknown|does not exist/i.test(message))
    return 'Check the name and the tag; the registry has no such image.'
  if (/no such host|connection refused|i\/o timeout|dial tcp|network is unreachable/i.test(message))
    return 'The node cannot reach the registry: check its address as seen from the cluster, not from this machine.'
  return undefined
}
