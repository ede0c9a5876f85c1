import { expect, test } from 'vitest'
import { eventWords, pullHelp, schedulingHelp } from '../../../../src/adapters/kube/event-words.js'

test.each([
  [
    'FailedMount',
    'MountVolume.SetUp failed for volume "v" : secret "keys" not found',
    'waits for the Secret keys, which does not exist',
    true,
  ],
  ['FailedMount', 'Unable to attach or mount volumes: timed out', 'cannot mount a volume', true],
  [
    'Unhealthy',
    'Liveness probe failed: HTTP probe failed with statuscode: 500',
    'is started again soon: its liveness probe fails',
    undefined,
  ],
  ['Unhealthy', 'Startup probe errored: x', 'has not started: its startup probe fails', undefined],
  [
    'FailedCreate',
    'Error creating: pods "x" is forbidden: exceeded quota: small, requested: pods=1',
    'cannot make its pods: the quota small is used up',
    undefined,
  ],
  ['SomethingNew', 'x', 'has a problem (SomethingNew)', undefined],
  ['constructor', 'x', 'has a problem (constructor)', undefined],
])('%s: %s', (reason, message, words, blocks) => {
  expect(eventWords(reason, message)).toMatchObject({ words, ...(blocks ? { blocks } : {}) })
  expect(eventWords(reason, message).blocks).toBe(blocks)
})

test.each([
  ['0/1 nodes are available: 1 Insufficient cpu.', 'Lower what'],
  ['0/3 nodes are available: 3 node(s) had untolerated taint {gpu: true}.', 'toleration'],
  ["0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.", 'nodeSelector'],
  ['0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.', 'kubectl get pvc'],
  ["0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.", 'hostPort'],
])('no node: %s', (message, help) => expect(schedulingHelp(message)).toContain(help))

test.each([
  ['failed to resolve reference "docker.io/x/y:z": docker.io/x/y:z: not found', 'no such image'],
  ['pull access denied, repository does not exist or may require authorization', 'imagePullSecret'],
  ['429 Too Many Requests - toomanyrequests: You have reached your pull rate limit', 'limits pulls'],
  ['no match for platform in manifest: not found', 'platform'],
  ['http: server gave HTTP response to HTTPS client', 'plain HTTP'],
  ['dial tcp: lookup registry.invalid: no such host', 'seen from the cluster'],
])('no image: %s', (message, help) => expect(pullHelp(message)).toContain(help))

test('what is not known has no help of its own', () => {
  expect([schedulingHelp('who knows'), pullHelp('who knows')]).toEqual([undefined, undefined])
})
