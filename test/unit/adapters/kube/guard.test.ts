import { describe, expect, it } from 'vitest'
import { guardCluster } from '../../../../src/adapters/kube/guard.js'
import { localProduct } from '../../../../src/adapters/kube/local-clusters.js'

const cluster = (context: string, server = 'https://203.0.113.7:6443', clusterName = context) => ({
  context,
  clusterName,
  server,
})

describe('guardCluster', () => {
  it.each([
    ['dev', ['dev']],
    ['dev-7', ['other', 'dev-*']],
    ['arn:aws:eks:eu:1:cluster/dev', ['arn:aws:eks:*']],
    ['team/api:6443/me', ['team/api?6443/*']],
  ])('lets %s through for %j', (context, allowed) => {
    expect(() => guardCluster(cluster(context), allowed)).not.toThrow()
  })

  it.each([
    ['dev', []],
    ['dev', ['de', 'ev', 'DEV']],
    ['xdevx', ['dev']],
    ['devx7', ['dev.7', 'dev+']],
    ['a', ['[a-z]']],
  ])('refuses %s for %j', (context, allowed) => {
    expect(() => guardCluster(cluster(context), allowed)).toThrow(expect.objectContaining({ code: 'cluster/not-allowed' }))
  })

  it('names the line to add', () => {
    let thrown: unknown
    try {
      guardCluster(cluster("o'hara"), ['dev'])
    } catch (error) {
      thrown = error
    }
    expect(thrown).toMatchObject({
      info: { help: expect.stringContaining(String.raw`cluster: { contexts: ['o\'hara'] }`) as string },
    })
  })
})

describe('localProduct', () => {
  it.each([
    [cluster('kind-dev', 'https://127.0.0.1:38111'), 'kind'],
    [cluster('k3d-dev', 'https://0.0.0.0:6550'), 'k3d'],
    [cluster('minikube', 'https://192.168.49.2:8443'), 'minikube'],
    [{ ...cluster('my-profile', 'https://192.168.49.2:8443'), provider: 'minikube.sigs.k8s.io' }, 'minikube'],
    [cluster('docker-desktop', 'https://kubernetes.docker.internal:6443'), 'docker-desktop'],
    [cluster('microk8s', 'https://10.0.0.5:16443', 'microk8s-cluster'), 'microk8s'],
    [cluster('crc-admin', 'https://api.crc.testing:6443', 'api-crc-testing:6443'), 'crc'],
    [cluster('rancher-desktop', 'https://[::1]:6443'), 'rancher-desktop'],
    [cluster('colima-x', 'https://192.168.106.2:6443'), 'colima'],
    [cluster('orbstack', 'https://k8s.orb.local:26443'), 'orbstack'],
  ])('%j is %s', (identity, product) => {
    expect(localProduct(identity)).toBe(product)
    expect(() => guardCluster(identity, [])).not.toThrow()
  })

  it.each([
    cluster('kind-prod', 'https://api.example.com'),
    cluster('kind-prod', 'https://10.1.2.3:6443'),
    cluster('kind-prod', 'https://127.0.0.1.example.com'),
    cluster('kindergarten', 'https://127.0.0.1:6443'),
    cluster('minikube', 'https://172.32.0.1'),
    cluster('minikube', 'https://203.0.113.1'),
    cluster('docker-desktop', 'not a url'),
    cluster('localhost', 'https://127.0.0.1:6443'),
  ])('%j is none', (identity) => {
    expect(localProduct(identity)).toBeUndefined()
    expect(() => guardCluster(identity, [])).toThrow(expect.objectContaining({ code: 'cluster/not-allowed' }))
  })
})
