import { eventWords } from '../../../../src/adapters/kube/event-words.js'
import { describe, expect, it } from 'vitest'
import {
  imagesAnnotation,
  projectLabel,
  resourceLabel,
  restartableAnnotation,
  templateLabel,
} from '../../../../src/adapters/kube/labels.js'
import { observePod, type PodRecord } from '../../../../src/adapters/kube/observe-pod.js'
import { observeResource, workloadKey, type ResourceRecord } from '../../../../src/adapters/kube/observe-resource.js'
import type { ContainerStatus, Pod, Workload } from '../../../../src/adapters/kube/observe-shapes.js'
import { observeWorkload, type WorkloadKind } from '../../../../src/adapters/kube/observe-workload.js'

interface PodParts {
  name?: string
  template?: string
  phase?: string
  ready?: boolean
  deleted?: boolean
  owner?: string | null
  created?: string
  status?: Partial<ContainerStatus>
  init?: Partial<ContainerStatus>
  conditions?: { type: string; status: string; reason?: string; message?: string }[]
}

function pod(parts: PodParts = {}): Pod {
  const name = parts.name ?? 'api-1'
  const owner = parts.owner === undefined ? 'ReplicaSet' : parts.owner
  return {
    metadata: {
      name,
      namespace: 'dev',
      uid: `uid-${name}`,
      creationTimestamp: parts.created ?? '2026-01-01T00:00:00Z',
      labels: { [resourceLabel]: 'api', [templateLabel]: parts.template ?? 't1' },
      annotations: { [imagesAnnotation]: '{"main":"shop/api"}', [restartableAnnotation]: 'main,side' },
      ...(parts.deleted ? { deletionTimestamp: '2026-01-01T00:01:00Z' } : {}),
      ...(owner === null ? {} : { ownerReferences: [{ kind: owner, apiVersion: 'apps/v1', name: 'x', controller: true }] }),
    },
    spec: {
      initContainers: [
        { name: 'prepare', image: 'p' },
        { name: 'side', image: 's', restartPolicy: 'Always' },
      ],
      containers: [
        { name: 'main', image: 'r/shop/api:1' },
        { name: 'db', image: 'pg' },
      ],
    },
    status: {
      phase: parts.phase ?? 'Running',
      conditions: [{ type: 'Ready', status: parts.ready === false ? 'False' : 'True' }, ...(parts.conditions ?? [])],
      containerStatuses: [
        {
          name: 'main',
          containerID: 'c://1',
          restartCount: 0,
          state: { running: { startedAt: '2026-01-01T00:00:05Z' } },
          ...parts.status,
        },
      ],
      initContainerStatuses: [{ name: 'prepare', state: { terminated: { exitCode: 0 } }, ...parts.init }],
    },
  }
}

const deployment = (changes: Partial<Workload['status']> = {}, template = 't1', generation = 2): Workload => ({
  metadata: { name: 'api', namespace: 'dev', uid: 'w', generation, labels: { [resourceLabel]: 'api' } },
  spec: { replicas: 2, template: { metadata: { labels: { [templateLabel]: template } } } },
  status: { observedGeneration: 2, replicas: 2, updatedReplicas: 2, availableReplicas: 2, ...changes },
})

const key = workloadKey('Deployment', 'dev', 'api')

function resource(pods: Pod[], workload?: Workload, changes: Partial<ResourceRecord> = {}): ResourceRecord {
  const records = new Map<string, PodRecord>(pods.map((one) => [one.metadata.uid, observePod(one, undefined)]))
  const observed = workload && observeWorkload('Deployment', workload)
  return {
    resource: 'api',
    pods: records,
    workloads: new Map(observed ? [[key, observed]] : []),
    expected: undefined,
    templates: undefined,
    listed: true,
    ...changes,
  }
}
const observe = (record: ResourceRecord, problem?: Parameters<typeof observeResource>[1]) =>
  observeResource(record, problem ?? (() => undefined))

describe('observePod', () => {
  it('keeps what is needed and nothing else', () => {
    expect(observePod(pod(), undefined)).toEqual({
      resource: 'api',
      error: undefined,
      owner: 'ReplicaSet',
      pod: {
        name: 'api-1',
        namespace: 'dev',
        uid: 'uid-api-1',
        template: 't1',
        phase: 'running',
        ready: true,
        createdAt: Date.UTC(2026, 0, 1),
        containers: [
          {
            name: 'prepare',
            kind: 'init',
            containerId: '',
            image: undefined,
            ref: 'p',
            running: false,
            restartable: false,
            restarts: 0,
            exitCode: 0,
          },
          {
            name: 'side',
            kind: 'sidecar',
            containerId: '',
            image: undefined,
            ref: 's',
            running: false,
            restartable: true,
            restarts: 0,
          },
          {
            name: 'main',
            containerId: 'c://1',
            image: 'shop/api',
            ref: 'r/shop/api:1',
            running: true,
            restartable: true,
            restarts: 0,
            startedAt: Date.UTC(2026, 0, 1, 0, 0, 5),
          },
          { name: 'db', containerId: '', image: undefined, ref: 'pg', running: false, restartable: false, restarts: 0 },
        ],
      },
    })
  })

  it('knows since when a container has output that has ended already', () => {
    const terminated = { exitCode: 1, startedAt: '2026-01-01T00:00:07Z', containerID: 'c://1' }
    const startOf = (status: PodParts['status']): number | undefined =>
      observePod(pod({ status: { containerID: 'c://1', ...status } }), undefined).pod.containers.find(
        (one) => one.name === 'main',
      )?.startedAt
    expect(startOf({ state: { terminated } })).toBe(Date.UTC(2026, 0, 1, 0, 0, 7))
    const waiting = { state: { waiting: { reason: 'CrashLoopBackOff' } } }
    expect(startOf({ ...waiting, lastState: { terminated } })).toBe(Date.UTC(2026, 0, 1, 0, 0, 7))
    expect(startOf({ ...waiting, lastState: { terminated: { ...terminated, containerID: 'c://0' } } })).toBeUndefined()
  })

  it('finds nothing wrong with a pod that is being deleted', () => {
    const record = observePod(pod({ deleted: true, status: { state: { terminated: { exitCode: 137 } } } }), undefined)
    expect(record.pod).toMatchObject({ phase: 'terminating', ready: false })
    expect(record.error).toBeUndefined()
  })

  const errorOf = (parts: PodParts, before?: PodRecord) => observePod(pod({ ready: false, ...parts }), before).error
  const waiting = (reason: string, message?: string): PodParts => ({
    status: { state: { waiting: { reason, ...(message === undefined ? {} : { message }) } } },
  })

  it('explains why an image cannot be pulled, also between two tries', () => {
    const first = observePod(pod(waiting('ErrImagePull', 'manifest unknown')), undefined)
    expect(first.error).toMatchObject({ code: 'pod/image', why: 'manifest unknown' })
    const then = observePod(pod(waiting('ImagePullBackOff', 'Back-off pulling image "r/shop/api:1"')), first)
    expect(then.error).toMatchObject({ code: 'pod/image', why: 'manifest unknown' })
    const more = 'Back-off pulling image "x": ErrImagePull: other'
    expect(errorOf(waiting('ImagePullBackOff', more), then)?.why).toBe(more)
  })

  it('explains how a container ended', () => {
    expect(errorOf({ status: { state: { terminated: { exitCode: 3, reason: 'Error' } } } })?.message).toBe(
      'Container main ended with exit code 3 (pod api-1).',
    )
    expect(errorOf({ status: { state: { terminated: { exitCode: 0 } } } })).toBeUndefined()
    const loop = (exitCode: number, reason = 'Error'): PodParts => ({
      status: {
        restartCount: 4,
        state: { waiting: { reason: 'CrashLoopBackOff' } },
        lastState: { terminated: { exitCode, reason } },
      },
    })
    expect(errorOf(loop(139))?.message).toBe(
      'Container main ended with exit code 139 (signal 11); it was started again 4 times (pod api-1).',
    )
    expect(errorOf(loop(0, 'Completed'))?.message).toContain('exit code 0; it was started again 4 times')
    expect(errorOf(loop(137, 'OOMKilled'))?.message).toContain('more memory than it may')
    expect(errorOf({ init: { state: { terminated: { exitCode: 2 } } } })?.message).toContain('Container prepare ended')
    expect(
      errorOf({ status: { state: { running: {} }, restartCount: 4, lastState: { terminated: { exitCode: 1 } } } }),
    ).toBeUndefined()
  })

  it('says that the program is missing', () => {
    const text = 'failed to create containerd task: OCI runtime create failed: exec: "sh": executable file not found in $PATH'
    const error = errorOf({ status: { state: { terminated: { exitCode: 127, reason: 'StartError', message: text } } } })
    expect(error).toMatchObject({
      code: 'pod/config',
      message: 'Container main cannot be started: its image has no `sh` (pod api-1).',
      why: text,
    })
    expect(error?.help).toContain('a base image with a shell')
    const loop = errorOf({
      status: {
        state: { waiting: { reason: 'CrashLoopBackOff' } },
        lastState: { terminated: { exitCode: 128, reason: 'StartError', message: text } },
      },
    })
    expect(loop?.message).toContain('has no `sh`')
    expect(errorOf(waiting('CreateContainerConfigError', 'secret "x" not found'))).toMatchObject({
      code: 'pod/config',
      why: 'secret "x" not found',
    })
  })

  it('says that no node takes it', () => {
    const error = errorOf({
      phase: 'Pending',
      conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/1 nodes' }],
    })
    expect(error).toMatchObject({ code: 'pod/unschedulable', why: '0/1 nodes' })
  })
})

describe('observeWorkload', () => {
  const done = (
    kind: WorkloadKind,
    spec: Workload['spec'],
    status: Workload['status'],
    meta: Partial<Workload['metadata']> = {},
  ) =>
    observeWorkload(kind, {
      metadata: { name: 'x', uid: 'u', generation: 1, ...meta },
      ...(spec ? { spec } : {}),
      ...(status ? { status: { observedGeneration: 1, ...status } } : {}),
    })

  it.each([
    ['Deployment', { replicas: 1 }, { replicas: 1, updatedReplicas: 1, availableReplicas: 1 }, undefined],
    ['Deployment', { replicas: 0 }, {}, undefined],
    ['Deployment', { replicas: 1 }, { replicas: 2, updatedReplicas: 1, availableReplicas: 2 }, '1 old pod to end'],
    ['Deployment', { replicas: 2 }, { replicas: 2, updatedReplicas: 2, availableReplicas: 1 }, '1 of 2 pods ready'],
    ['Deployment', { replicas: 2 }, { replicas: 2, updatedReplicas: 1, availableReplicas: 2 }, '1 of 2 new pods made'],
    [
      'Deployment',
      { replicas: 1 },
      { observedGeneration: 0, replicas: 1, updatedReplicas: 1, availableReplicas: 1 },
      'not looked at',
    ],
    [
      'StatefulSet',
      { replicas: 3, updateStrategy: { rollingUpdate: { partition: 2 } } },
      { updatedReplicas: 1, availableReplicas: 3 },
      undefined,
    ],
    ['StatefulSet', { replicas: 3 }, { updatedReplicas: 1, availableReplicas: 3 }, '1 of 3 new pods made'],
    ['StatefulSet', { replicas: 1, updateStrategy: { type: 'OnDelete' } }, { updatedReplicas: 0, readyReplicas: 1 }, undefined],
    ['DaemonSet', {}, { desiredNumberScheduled: 2, updatedNumberScheduled: 2, numberAvailable: 2 }, undefined],
    ['DaemonSet', {}, { desiredNumberScheduled: 2, updatedNumberScheduled: 2, numberAvailable: 1 }, '1 of 2 pods ready'],
    ['ReplicaSet', { replicas: 1 }, { availableReplicas: 1 }, undefined],
    ['Job', {}, { conditions: [{ type: 'Complete', status: 'True' }] }, undefined],
    ['Job', { completions: 3 }, { succeeded: 1 }, '1 of 3 completed'],
    ['Job', { suspend: true }, {}, undefined],
  ] as const)('%s %j %j: %s', (kind, spec, status, waits) => {
    const record = done(kind, spec, status)
    expect(record?.rolledOut).toBe(waits === undefined)
    expect(record?.message ?? 'nothing').toContain(waits ?? 'nothing')
  })

  it('leaves to its maker what has one, and reports what stops it', () => {
    expect(
      done('Job', {}, {}, { ownerReferences: [{ kind: 'CronJob', apiVersion: 'batch/v1', name: 'c', controller: true }] }),
    ).toBeUndefined()
    const failed = done(
      'Deployment',
      { replicas: 1 },
      { conditions: [{ type: 'ReplicaFailure', status: 'True', message: 'pods "x" is forbidden: exceeded quota' }] },
    )
    expect(failed?.error).toMatchObject({ code: 'cluster/denied', why: 'pods "x" is forbidden: exceeded quota' })
    const late = done(
      'Deployment',
      { replicas: 1 },
      { conditions: [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }] },
    )
    expect(late?.error?.code).toBe('rollout/timeout')
    expect(
      done('Job', {}, { conditions: [{ type: 'Failed', status: 'True', reason: 'BackoffLimitExceeded' }] })?.error?.message,
    ).toBe('job/x failed (BackoffLimitExceeded).')
  })
})

describe('observeResource', () => {
  it('is asleep when somebody else set its replicas to 0, and not when it was applied so', () => {
    const scaledBy = (...managers: string[]): string | undefined => {
      const { metadata, spec } = deployment()
      const managedFields = managers.map((manager) =>
        manager.endsWith('status') ? { manager, fieldsV1: {} } : { manager, fieldsV1: { 'f:spec': { 'f:replicas': {} } } },
      )
      const sleeping = {
        metadata: { ...metadata, managedFields, labels: { ...metadata.labels, [projectLabel]: 'shop' } },
        spec: { ...spec, replicas: 0 },
        status: { observedGeneration: 2 },
      }
      return observe(resource([], sleeping)).asleep
    }
    expect(scaledBy('hibernation-operator')).toBe('deployment/api is asleep: hibernation-operator set its replicas to 0')
    expect(scaledBy('devloop')).toBeUndefined()
    expect(scaledBy('Helm')).toBeUndefined()
    expect(scaledBy()).toBeUndefined()
    // by the scale subresource: a zero has no owner then
    expect(scaledBy('kube-controller-manager: status')).toBe('deployment/api is asleep: somebody set its replicas to 0')
  })

  it('tells why a workload without a condition for that cannot make its pods, as long as it lacks some', () => {
    const message =
      'create Pod api-0 in StatefulSet api failed error: pods "api-0" is forbidden: exceeded quota: devloop, used: pods=1, limited: pods=1'
    const problem = (uid: string) => (uid === 'w' ? { ...eventWords('FailedCreate', message), pod: 'api', message } : undefined)
    const of = (replicas: number): ResourceRecord => {
      const set = observeWorkload('StatefulSet', deployment({ replicas, updatedReplicas: replicas, availableReplicas: 0 }))
      return { ...resource([]), workloads: new Map(set ? [[workloadKey('StatefulSet', 'dev', 'api'), set]] : []) }
    }
    expect(observe(of(1), problem).error).toMatchObject({
      code: 'cluster/denied',
      message: 'statefulset/api cannot make its pods: the quota devloop is used up.',
      why: message,
    })
    expect(observe(of(2), problem).error).toBeUndefined()
  })

  it('is rolled out when its workload is, and with the templates of the deploy', () => {
    expect(observe(resource([pod()], deployment()))).toMatchObject({ rolledOut: true })
    expect(observe(resource([pod()], deployment(), { templates: ['t1'], expected: new Set([key]) }))).toMatchObject({
      rolledOut: true,
    })
    const stale = observe(resource([pod()], deployment(), { templates: ['t2'], expected: new Set([key]) }))
    expect(stale).toMatchObject({ rolledOut: false, message: 'deployment/api: its change is not seen yet' })
  })

  it('waits for what was applied and is not seen, and for lists that are not there', () => {
    expect(observe(resource([], undefined, { expected: new Set([key]) }))).toMatchObject({
      rolledOut: false,
      message: 'deployment/api is not seen yet',
    })
    expect(observe(resource([], undefined, { expected: new Set([workloadKey('Pod', 'dev', 'bare')]) }))).toMatchObject({
      message: 'pod/bare is not seen yet',
    })
    expect(observe(resource([], undefined, { listed: false })).rolledOut).toBe(false)
    expect(observe(resource([], undefined, { expected: new Set() }))).toEqual({ resource: 'api', pods: [], rolledOut: true })
  })

  it('counts bare pods, ready or succeeded', () => {
    expect(observe(resource([pod({ owner: null, ready: false })])).rolledOut).toBe(false)
    expect(observe(resource([pod({ owner: null, ready: false, phase: 'Succeeded' })])).rolledOut).toBe(true)
  })

  it('reports the newest current pod, and neither old, leaving nor superseded ones', () => {
    const crash = (code: number): Partial<ContainerStatus> => ({ state: { terminated: { exitCode: code } } })
    const open = deployment({ availableReplicas: 0 }, 't2')
    const old = pod({ name: 'old', template: 't1', ready: false, status: crash(1) })
    const leaving = pod({ name: 'leaving', template: 't2', deleted: true, status: crash(2) })
    const earlier = pod({ name: 'a', template: 't2', ready: false, status: crash(3), created: '2026-01-01T00:01:00Z' })
    const newest = pod({ name: 'b', template: 't2', ready: false, status: crash(4), created: '2026-01-01T00:02:00Z' })
    const observed = observe(resource([newest, earlier, old, leaving], open))
    expect(observed.error?.message).toContain('exit code 4')
    expect(observed.pods.map((one) => one.name)).toEqual(['leaving', 'old', 'a', 'b'])
    expect(observe(resource([old, leaving], open)).error).toBeUndefined()
    const tried = pod({ name: 'try', owner: 'Job', phase: 'Failed', ready: false, status: crash(5) })
    const again = pod({ name: 'again', owner: 'Job', ready: false, created: '2026-01-01T00:01:00Z' })
    expect(observe(resource([tried, again])).error).toBeUndefined()
    expect(observe(resource([tried])).error?.message).toContain('exit code 5')
  })

  it('adds what events say of a pod that does not say why it waits', () => {
    const waits = pod({ phase: 'Pending', ready: false, status: { state: { waiting: { reason: 'ContainerCreating' } } } })
    const mount = observe(resource([waits], deployment({ availableReplicas: 1 })), () => ({
      ...eventWords('FailedMount', 'no such map'),
      pod: 'api-1',
      message: 'no such map',
    }))
    expect(mount.error).toMatchObject({ code: 'pod/config', why: 'no such map' })
    const probe = observe(resource([pod({ ready: false })], deployment({ availableReplicas: 1 })), () => ({
      ...eventWords('Unhealthy', 'Readiness probe failed: no'),
      pod: 'api-1',
      message: 'probe failed',
    }))
    expect(probe.error).toBeUndefined()
    expect(probe.message).toBe('deployment/api: 1 of 2 pods ready. It is not ready: its readiness probe fails: probe failed')
  })
})
