// Forwards an ssh agent to the build: what a RUN with `--mount=type=ssh` writes goes to the agent's socket, and back.
import { stat } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { DevloopError } from '../../errors/devloop-error.js'
import type { ImageSpec } from '../../model/plan.js'
import type { Environment } from './docker-config.js'
import { GrpcError, grpcStatus, type GrpcCall, type GrpcMethod } from './grpc-server.js'
import { bytesOf, readFields, textOf, writeMessage } from './protobuf.js'

/** Sockets of agents by id. @throws DevloopError build/ssh when there is no agent */
export async function findAgents(image: ImageSpec, env: Environment): Promise<ReadonlyMap<string, string>> {
  const agents = new Map<string, string>()
  for (const [id, given] of Object.entries(image.options?.ssh ?? {})) {
    const failed = (why: string, help: string): DevloopError =>
      new DevloopError('build/ssh', `There is no ssh agent for \`ssh\` (${id}) of image ${image.name}.`, {
        why,
        where: image.at,
        help,
      })
    const socket = given ?? env['SSH_AUTH_SOCK']
    const start = 'Start one with `eval "$(ssh-agent)"`, add a key with `ssh-add`, and start devloop from that shell.'
    if (!socket) throw failed('SSH_AUTH_SOCK is not set.', start)
    const found = await stat(socket).catch(() => undefined)
    if (!found) throw failed(`There is no ${socket}.`, given === null ? start : 'Correct the path.')
    if (!found.isSocket()) {
      const help = found.isFile()
        ? `Add the key to an agent with \`ssh-add ${socket}\`, and use \`ssh: true\`.`
        : 'Correct the path.'
      throw failed(`${socket} is no socket of an agent.`, help)
    }
    agents.set(id, socket)
  }
  return agents
}

/** The methods of BuildKit's ssh service over these agents. */
export function sshMethods(agents: ReadonlyMap<string, string>): Readonly<Record<string, GrpcMethod>> {
  const agentOf = (id: string): string => {
    const socket = agents.get(id || 'default')
    if (socket === undefined) throw new GrpcError(grpcStatus.notFound, `\`ssh\` of the image has no id '${id || 'default'}'`)
    return socket
  }
  return {
    '/moby.sshforward.v1.SSH/CheckAgent': {
      unary: (request) => {
        let id = ''
        for (const field of readFields(request)) if (field.number === 1) id = textOf(field)
        agentOf(id)
        return Buffer.alloc(0)
      },
    },
    '/moby.sshforward.v1.SSH/ForwardAgent': {
      stream: (call, signal) => forward(call, agentOf(call.metadata('buildkit.ssh.id')[0] ?? ''), signal),
    },
  }
}

async function forward(call: GrpcCall, path: string, signal: AbortSignal): Promise<void> {
  const socket = connect(path)
  const close = (): void => void socket.destroy()
  signal.addEventListener('abort', close, { once: true })
  try {
    await once(socket, 'connect', { signal }).catch((error: Error) => {
      throw new GrpcError(grpcStatus.unknown, `the ssh agent at ${path} does not answer: ${error.message}`)
    })
    // an agent that ends the connection ends the call, and the other way round
    await Promise.race([toAgent(call, socket), fromAgent(call, socket)])
  } finally {
    signal.removeEventListener('abort', close)
    socket.destroy()
  }
}

async function toAgent(call: GrpcCall, socket: Socket): Promise<void> {
  for await (const message of call.messages) {
    for (const field of readFields(message)) {
      if (field.number === 1 && !socket.write(bytesOf(field))) await Promise.race([once(socket, 'drain'), once(socket, 'close')])
    }
  }
}

async function fromAgent(call: GrpcCall, socket: Socket): Promise<void> {
  try {
    for await (const chunk of socket)
      await call.send(
        writeMessage()
          .bytes(1, chunk as Buffer)
          .finish(),
      )
  } catch (error) {
    if (error instanceof GrpcError) throw error
    // the connection was closed here, because the caller has gone
  }
}
