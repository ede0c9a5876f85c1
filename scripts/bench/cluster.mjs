// The cluster that KUBECONFIG names: namespaces, pods as they come, and an exec stream made by hand.
import { execFile } from 'node:child_process'
import http from 'node:http'
import https from 'node:https'
import { isIP } from 'node:net'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { setTimeout as delay } from 'node:timers/promises'
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node'
import { WebSocket } from 'ws'
import { readStat, tickMs } from './usage.mjs'

const run = promisify(execFile)

/** For any shell: who asks, then a line for each process, `PROGRAM TAB /proc/PID/stat`, then `end`. */
const listProcesses = `echo "self $$"
for f in /proc/[0-9]*; do
  s=$(cat "$f/stat" 2>/dev/null) || continue
  p=$(tr '\\0' '\\n' < "$f/cmdline" 2>/dev/null | head -n 1)
  printf '%s\\t%s\\n' "$p" "$s"
done
echo end`

export function openCluster(cleanup) {
  const config = new KubeConfig()
  config.loadFromDefault()
  const core = config.makeApiClient(CoreV1Api)
  const server = config.getCurrentCluster()?.server
  if (!server) throw new Error('the kubeconfig has no current context')

  // the name that the server's certificate is for, wherever it is reached; an address is none
  const { hostname } = new URL(server)
  const certified = isIP(hostname.replace(/^\[|\]$/g, '')) ? undefined : hostname

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

  /**
   * Runs a command in a container over a WebSocket of its own, as bare as can be.
   * @param via address that leads to the API server, such as a proxy's; default: the kubeconfig's
   */
  async function openExec({ namespace, pod, container }, command, via = server) {
    const query = new URLSearchParams([
      ['container', container],
      ['stdin', 'true'],
      ['stdout', 'true'],
      ['stderr', 'true'],
      ...command.map((part) => ['command', part]),
    ])
    const options = via === server ? {} : { servername: certified }
    await config.applyToHTTPSOptions(options)
    const url = `${via.replace(/^http/, 'ws')}/api/v1/namespaces/${namespace}/pods/${pod}/exec?${query}`
    const socket = new WebSocket(url, ['v5.channel.k8s.io', 'v4.channel.k8s.io'], {
      ...options,
      perMessageDeflate: false,
      // a mask of zeros, which ws leaves out: a floor must not pay for it
      generateMask: (mask) => mask.fill(0),
    })
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
      /** Sends all of a stream, no faster than it is taken. */
      async pipe(stream) {
        for await (const data of stream)
          await new Promise((resolve, reject) => {
            const message = Buffer.concat([Buffer.of(0), data])
            if (ended) reject(ended)
            else if (socket.bufferedAmount < 1 << 20) resolve(socket.send(message))
            else socket.send(message, (error) => (error ? reject(error) : resolve()))
          })
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

  /**
   * The processes of a container but those that ask: process id, state (`Z` a zombie), the first word of the command line, and the
   * processor time used so far in milliseconds.
   */
  async function processes(target) {
    const stream = await openExec(target, ['sh', '-c', listProcesses])
    const found = []
    try {
      const [, self] = (await stream.line()).split(' ')
      for (let line = await stream.line(); line !== 'end'; line = await stream.line()) {
        const [program, stat] = line.split('\t')
        const { pid, state, own } = readStat(stat)
        if (pid !== Number(self)) found.push({ pid, state, program, ms: own * tickMs })
      }
    } finally {
      await stream.close()
    }
    return found
  }

  /** The architecture of the nodes, as Go calls it; undefined when they differ. */
  async function architecture() {
    const { items } = await core.listNode()
    const all = new Set(items.map((node) => node.status?.nodeInfo?.architecture))
    return all.size === 1 ? [...all][0] : undefined
  }

  async function freePodSlots() {
    const [nodes, pods] = await Promise.all([core.listNode(), core.listPodForAllNamespaces()])
    const allocatable = nodes.items.reduce((sum, node) => sum + Number(node.status?.allocatable?.pods ?? 0), 0)
    return allocatable - pods.items.filter((pod) => !['Succeeded', 'Failed'].includes(pod.status?.phase)).length
  }

  /** The current context as a kubeconfig (JSON is YAML) whose cluster is at another address, which leads to the same API server. */
  function kubeconfigBy(address) {
    const all = JSON.parse(config.exportConfig())
    const context = all.contexts.find((one) => one.name === config.getCurrentContext())
    const clusters = all.clusters
      .filter((one) => one.name === context.context.cluster)
      .map(({ name, cluster }) => ({ name, cluster: { 'tls-server-name': certified, ...cluster, server: address } }))
    const users = all.users.filter((one) => one.name === context.context.user)
    return JSON.stringify({ ...all, contexts: [context], clusters, users })
  }

  return {
    context: config.getCurrentContext(),
    server,
    kubeconfigBy,
    makeNamespace,
    watchPods,
    openExec,
    processes,
    architecture,
    freePodSlots,
    hasKubectl: () =>
      run('kubectl', ['version', '--client']).then(
        () => true,
        () => false,
      ),
  }
}
