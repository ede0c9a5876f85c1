// What all sections share: the cluster, the daemon's launcher, and the small project, deployed once.
import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createLauncher, followChanges } from './devloop.mjs'
import { createProbe } from './probe.mjs'
import { port, writeProject } from './project.mjs'

export async function createBench({ options, home, root, cleanup, say, add }) {
  const suffix = randomBytes(3).toString('hex')
  const launcher = await createLauncher({ home, dist: options.dist ?? join(root, 'dist'), profile: options.profile, cleanup })
  const registry = process.env.DEVLOOP_TEST_REGISTRY
  const noCluster = !process.env.KUBECONFIG
    ? 'it needs a cluster: set KUBECONFIG'
    : !registry
      ? `it needs images to build from: set DEVLOOP_TEST_REGISTRY to a registry with testbed/node:20`
      : undefined
  let opened
  const cluster = async () => (opened ??= (await import('./cluster.mjs')).openCluster(cleanup))
  const images = []
  let count = 0
  cleanup.add('built images', async () => {
    if (images.length > 0) await (await import('./engine.mjs')).removeImages(images, say)
  })

  /**
   * Write a project of its own, in a namespace of its own.
   * @param write another kind of project than `writeProject` makes; the rest of `more` is for it
   */
  async function project(name, { write = writeProject, ...more } = {}) {
    const { context, makeNamespace } = await cluster()
    const own = `${name}-${suffix}${++count > 1 ? `-${count}` : ''}`
    const namespace = await makeNamespace(`devloop-bench-${own}`)
    const image = `devloop-bench/${own}`
    images.push(image)
    const made = await write(join(home, own), {
      image,
      base: `${registry}/testbed/node:20`,
      namespace: namespace.name,
      contexts: [context],
      ...more,
    })
    return { ...made, namespace: namespace.name, removeNamespace: namespace.remove }
  }

  /**
   * Start the daemon of a project and wait until its pod serves.
   * @param onStart waits for readiness in a way of its own
   */
  async function open(made, { onStart, ...more } = {}) {
    const kube = await cluster()
    const watch = kube.watchPods(made.namespace)
    const daemon = launcher.start({ devloopfile: made.devloopfile, namespace: made.namespace, ...more })
    const { client } = daemon.connect()
    await (onStart ?? (() => daemon.ready(client, 300_000)))(daemon, client)
    const changes = followChanges(client)
    // this process hears of the pod by a watch of its own
    while (!findPod(watch.pods)) await delay(20)
    const session = {
      project: made,
      daemon,
      client,
      changes,
      pods: watch.pods,
      /** The pod that is ready and not on its way out. */
      pod: () => findPod(watch.pods),
      target() {
        const { metadata, spec } = session.pod()
        return { namespace: made.namespace, pod: metadata.name, container: spec.containers[0].name }
      },
      probe: () => createProbe(session.pod().status.podIP, port),
      async close() {
        watch.stop()
        await daemon.stop()
      },
    }
    return session
  }

  let small
  let smallProject
  return {
    options,
    home,
    root,
    suffix,
    registry,
    noCluster,
    cleanup,
    launcher,
    cluster,
    project,
    open,
    say,
    add,
    /** The small project's session, which sections take over from each other. */
    small: async () => (small ??= await open((smallProject ??= await project('small')))),
    /** End the small project's daemon; what it deployed stays. */
    async closeSmall() {
      const one = small
      small = undefined
      await one?.close()
      return (smallProject ??= await project('small'))
    },
    /** After a failure: nothing that it left is taken over. */
    async reset() {
      const one = small
      small = undefined
      smallProject = undefined
      await one?.close().catch(() => {})
    },
    folder: async (name) => {
      const folder = join(home, name)
      await mkdir(folder, { recursive: true })
      return folder
    },
  }
}

function findPod(pods) {
  const found = [...pods.values()].filter(
    (pod) =>
      !pod.metadata.deletionTimestamp &&
      pod.status.podIP &&
      pod.status.conditions?.some((one) => one.type === 'Ready' && one.status === 'True'),
  )
  return found.toSorted((a, b) => Date.parse(b.metadata.creationTimestamp) - Date.parse(a.metadata.creationTimestamp))[0]
}
