// How Helm hands over what a chart gives before it applies it: Helm starts a small program of ours, which passes everything on to this
// process through a socket. Helm 3 takes a program as its post-renderer, Helm 4 only a plugin: that one stands in a folder of its own.
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

export interface PostRenderer {
  /** Arguments of `helm upgrade`. */
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** What `finish` threw, if it did. */
  readonly thrown: () => unknown
  close(): Promise<void>
}

/** What was sent back is complete only with its end: a connection that breaks must not pass for a short manifest. */
const program = `
const { connect } = require('node:net')
const [given, answer] = [[], []]
process.stdin.on('data', (part) => given.push(part)).on('end', () => {
  const socket = connect(process.argv[2], () => socket.end(Buffer.concat(given)))
  const fail = () => process.exit(1)
  socket.on('error', fail)
  socket.on('data', (part) => answer.push(part)).on('end', () => {
    const all = Buffer.concat(answer)
    if (all.length < 1 || all[0] !== 1) return fail()
    process.stdout.end(all.subarray(1))
  })
})
`

const plugin = (command: readonly string[]): string => `apiVersion: v1
type: postrenderer/v1
name: devloop
version: 1.0.0
runtime: subprocess
runtimeConfig:
  platformCommand:
    - command: ${JSON.stringify(command[0])}
      args: ${JSON.stringify(command.slice(1))}
`

/**
 * @param major of Helm's version
 * @param plugins folders with the user's own plugins, as HELM_PLUGINS has them
 */
export async function servePostRenderer(
  { major, plugins }: { readonly major: number; readonly plugins: string },
  finish: (manifest: string) => string,
): Promise<PostRenderer> {
  const folder = await mkdtemp(join(tmpdir(), 'devloop-helm-'))
  const address = process.platform === 'win32' ? `\\\\.\\pipe\\${folder.replaceAll(/[^\w-]/g, '-')}` : join(folder, 'socket')
  const script = join(folder, 'post-render.cjs')
  const open = new Set<Socket>()
  let thrown: unknown
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket)
    const given: Buffer[] = []
    socket.on('close', () => open.delete(socket))
    socket.on('error', () => {})
    socket.on('data', (part: Buffer) => given.push(part))
    socket.on('end', () => {
      try {
        socket.end(Buffer.concat([Buffer.of(1), Buffer.from(finish(Buffer.concat(given).toString('utf8')))]))
      } catch (error) {
        thrown = error
        socket.end(Buffer.of(0))
      }
    })
  })
  const close = async (): Promise<void> => {
    server.close()
    for (const socket of open) socket.destroy()
    await rm(folder, { recursive: true, force: true })
  }
  try {
    await chmod(folder, 0o700)
    await writeFile(script, program)
    const named = join(folder, 'plugins', 'devloop')
    await mkdir(named, { recursive: true })
    await writeFile(join(named, 'plugin.yaml'), plugin([process.execPath, script, address]))
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(address, resolve)
    })
  } catch (error) {
    await close()
    throw error
  }
  return {
    args:
      major < 4
        ? ['--post-renderer', process.execPath, ...[script, address].flatMap((one) => ['--post-renderer-args', one])]
        : ['--post-renderer', 'devloop'],
    env: major < 4 ? {} : { HELM_PLUGINS: [join(folder, 'plugins'), plugins].filter(Boolean).join(delimiter) },
    thrown: () => thrown,
    close,
  }
}
