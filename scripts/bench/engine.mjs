// The Docker engine that built the images: takes them away again, and counts what is sent to it.
import { connect, createServer } from 'node:net'
import Docker from 'dockerode'

/** Remove every tag of these repositories, whatever the registry. What the registry itself holds stays. */
export async function removeImages(repositories, say) {
  const docker = new Docker()
  const all = await docker.listImages().catch(() => [])
  // in a registry, `/` in a name is `_`
  const names = repositories.flatMap((name) => [name, name.replaceAll('/', '_')])
  const tags = all.flatMap((image) => image.RepoTags ?? []).filter((tag) => names.some((name) => tag.includes(`${name}:`)))
  for (const tag of tags)
    await docker
      .getImage(tag)
      .remove({ force: true })
      .catch((error) => say(`image ${tag} is left: ${error.message}`))
}

/** A Unix socket before the engine's own, which counts the bytes that go to it. Undefined where the engine is elsewhere. */
export async function countingEngine(path, cleanup) {
  const host = process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock'
  if (!host.startsWith('unix://')) return undefined
  let sent = 0
  const sockets = new Set()
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ path: host.slice('unix://'.length), allowHalfOpen: true })
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => (near.destroy(), far.destroy()))
      socket.on('close', () => sockets.delete(socket))
    }
    near.on('data', (chunk) => (sent += chunk.length))
    near.pipe(far)
    far.pipe(near)
  })
  await new Promise((resolve, reject) => server.once('error', reject).listen(path, resolve))
  const close = cleanup.add('counting engine socket', () => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return { host: `unix://${path}`, sent: () => sent, close }
}
