// The cluster that KUBECONFIG names: namespaces, pods as they come, and an exec stream made by hand.
import { execFile } from 'node:child_process'
import http from 'node:http'
import https from 'node:https'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { setTimeout as delay } from 'node:timers/promises'
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node'
import { WebSocket } from 'ws'

const run = promisify(execFile)

export function openCluster(cleanup) {
  const config = new KubeConfig()
  config.loadFromDefault()
  const core = config.makeApiClient(CoreV1Api)
  const server = config.getCurrentCluster()?.server
  if (!server) throw new Error('the kubeconfig has no current context')

  const isGone = (error) => error.code === 404

  async function deleteNamespace(name, wait = false) {
    await core.deleteNamespace({ name }).catch((error) => {
      if (!isGone(error)) throw error
    })
    while (
      wait &&
      (await core.readNamespace({ name }).then(
        () => true,
        (error) => !isGone(error),
      ))
    )
      await delay(250)
  }

  /** A namespace that the run's end deletes. `remove(true)` deletes it now and waits until it is gone. */
  async function makeNamespace(name) {
    await core.createNamespace({ body: { metadata: { name } } })
    const forget = cleanup.add(`namespace ${name}`, () => deleteNamespace(name))
    // pods cannot be made before it is there
    while (
      await core.readNamespacedServiceAccount({ name: 'default', namespace: name }).then(
        () => false,
        () => true,
      )
    )
      await delay(50)
    return { name, remove: (wait = false) => (wait ? deleteNamespace(name, true).then(forget) : forget()) }
  }

  /** Follows the pods of a namespace. `onPod` gets each as it is now, with `performance.now()` of when it was told. */
  function watchPods(namespace, onPod = () => {}) {
    const pods = new Map()
    const take = (line) => {
      const { type, object: pod } = JSON.parse(line)
      if (type === 'ERROR' || type === 'BOOKMARK') return
      if (type === 'DELETED') pods.delete(pod.metadata.name)
      else pods.set(pod.metadata.name, pod)
      onPod(pod, performance.now(), type)
    }
    let abort
    let stopped = false
    void (async () => {
      while (!stopped) {
        abort = new AbortController()
        // from what the server's cache holds: a watch that asks for the newest state waits, on an idle cluster with an old etcd, until something happens
        const options = { signal: abort.signal, agent: false, headers: {} }
        await config.applyToHTTPSOptions(options)
        await new Promise((resolve) => {
          const url = `${server}/api/v1/namespaces/${namespace}/pods?watch=true&resourceVersion=0`
          const request = (url.startsWith('https:') ? https : http).get(url, options, (response) => {
            createInterface({ input: response }).on('line', take).on('close', resolve).on('error', resolve)
            response.on('error', resolve)
          })
          request.on('error', resolve)
        })
        if (!stopped) await delay(20)
      }
    })()
    const stop = () => {
      stopped = true
      abort?.abort()
    }
    const forget = cleanup.add(`watch of ${namespace}`, stop)
    return { pods, stop: forget }
  }

  /** Runs a command in a container over a WebSocket of its own, as bare as can be. */
  async function openExec({ namespace, pod, container }, command) {
    const query = new URLSearchParams([
      ['container', container],
      ['stdin', 'true'],
      ['stdout', 'true'],
      ['stderr', 'true'],
      ...command.map((part) => ['command', part]),
    ])
    const options = {}
    await config.applyToHTTPSOptions(options)
    const url = `${server.replace(/^http/, 'ws')}/api/v1/namespaces/${namespace}/pods/${pod}/exec?${query}`
    const socket = new WebSocket(url, ['v5.channel.k8s.io', 'v4.channel.k8s.io'], { ...options, perMessageDeflate: false })
    const waiting = []
    const lines = []
    let rest = ''
    let ended
    const end = (reason) => {
      ended ??= new Error(`the stream into ${pod} ended: ${reason}`)
      for (const { reject } of waiting.splice(0)) reject(ended)
    }
    socket.on('message', (data) => {
      const channel = data[0]
      const text = data.subarray(1).toString()
      if (channel === 2) return process.stderr.write(`floor: ${text}`)
      if (channel === 3) return end(text)
      rest += text
      const parts = rest.split('\n')
      rest = parts.pop()
      for (const line of parts) (waiting.shift()?.resolve ?? ((one) => lines.push(one)))(line)
    })
    socket.on('close', () => end('closed'))
    await new Promise((resolve, reject) => {
      socket.once('open', resolve)
      socket.once('error', reject)
    })
    socket.on('error', (error) => end(error.message))
    const forget = cleanup.add(`exec in ${pod}`, () => socket.terminate())
    return {
      write(data) {
        const chunk = 64 * 1024
        for (let at = 0; at < data.length; at += chunk) socket.send(Buffer.concat([Buffer.of(0), data.subarray(at, at + chunk)]))
      },
      line: () =>
        new Promise((resolve, reject) => {
          if (lines.length > 0) resolve(lines.shift())
          else if (ended) reject(ended)
          else waiting.push({ resolve, reject })
        }),
      close: forget,
    }
  }

  async function freePodSlots() {
    const [nodes, pods] = await Promise.all([core.listNode(), core.listPodForAllNamespaces()])
    const allocatable = nodes.items.reduce((sum, node) => sum + Number(node.status?.allocatable?.pods ?? 0), 0)
    return allocatable - pods.items.filter((pod) => !['Succeeded', 'Failed'].includes(pod.status?.phase)).length
  }

  return {
    context: config.getCurrentContext(),
    server,
    makeNamespace,
    watchPods,
    openExec,
    freePodSlots,
    hasKubectl: () =>
      run('kubectl', ['version', '--client']).then(
        () => true,
        () => false,
      ),
  }
}
