// Plain requests to a registry, without the engine: which scheme it speaks, which certificates are trusted, and nothing of logging in.
import http from 'node:http'
import https from 'node:https'
import { readdir, readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import path from 'node:path'
import { abortReason } from './engine.js'
import type { Environment } from './docker-config.js'

/** What a registry, or the server that gives its tokens, answered. */
export interface RegistryAnswer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  /** At most 64 kB of it. */
  readonly text: string
}

export interface RegistryRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly headers?: http.OutgoingHttpHeaders
  readonly body?: string | Buffer
  /** Milliseconds that it may take; default 5,000. */
  readonly limitMs?: number
}

/** No answer at all, or none that a registry gives: nothing follows from it. */
export class NoAnswer extends Error {}

export interface RegistryHttp {
  /** `https://HOST` or `http://HOST`, as it was found to speak. @throws NoAnswer, AbortError */
  origin(signal: AbortSignal): Promise<string>
  /** Redirects are not followed: credentials would follow them. @throws NoAnswer, AbortError */
  exchange(url: string, request: RegistryRequest, signal: AbortSignal): Promise<RegistryAnswer>
  close(): void
}

/** How long one request may take, unless it says so itself, in milliseconds. */
const usualLimitMs = 5_000
const bodyLimit = 64 * 1024
/** Docker Hub's registry is not where its name says. */
const hubRegistry = 'registry-1.docker.io'

/**
 * @param host as in references, such as `localhost:5000`; Docker Hub is `docker.io`
 * @param insecure whether the engine is told that this registry may lack certificates, and HTTPS
 * @param env where the folders of trusted certificates are found: those of Docker and of Podman, `certs.d/HOST`
 */
export function createRegistryHttp(host: string, env: Environment, insecure = false): RegistryHttp {
  const server = host === 'docker.io' ? hubRegistry : host
  // as engines do: this machine's own registries may lack certificates, and HTTPS
  const lenient = insecure || isLoopback(server)
  const plain = new http.Agent({ keepAlive: true })
  let secure: Promise<https.Agent> | undefined
  let found: Promise<string> | undefined

  const exchange: RegistryHttp['exchange'] = async (url, request, signal) => {
    const target = new URL(url)
    const isTls = target.protocol === 'https:'
    const agent = isTls ? await (secure ??= secureAgent(server, lenient, env)) : plain
    const { limitMs = usualLimitMs } = request
    const limit = AbortSignal.any([signal, AbortSignal.timeout(limitMs)])
    try {
      return await send(target, isTls ? https : http, { ...request, agent, signal: limit })
    } catch (error) {
      if (signal.aborted) throw abortReason(signal)
      throw new NoAnswer(limit.aborted ? `no answer within ${limitMs / 1000} s` : (error as Error).message, { cause: error })
    }
  }

  const probe = async (signal: AbortSignal): Promise<string> => {
    const origins = lenient ? [`https://${server}`, `http://${server}`] : [`https://${server}`]
    let last: unknown
    for (const origin of origins) {
      try {
        const answer = await exchange(`${origin}/v2/`, { method: 'GET' }, signal)
        // something else may listen on a port that registries like
        if (isRegistry(answer)) return origin
        last = new NoAnswer('what answers there is no registry')
      } catch (error) {
        if (!(error instanceof NoAnswer)) throw error
        last = error
      }
    }
    throw last
  }

  return {
    async origin(signal) {
      try {
        return await (found ??= probe(signal))
      } catch (error) {
        found = undefined
        throw error
      }
    },
    exchange,
    close() {
      plain.destroy()
      void secure?.then(
        (agent) => agent.destroy(),
        () => undefined,
      )
    },
  }
}

const isRegistry = ({ status, headers, text }: RegistryAnswer): boolean =>
  headers['docker-distribution-api-version'] !== undefined ||
  (status === 401 && headers['www-authenticate'] !== undefined) ||
  (status === 200 && /^\s*(\{\s*\}|true|)\s*$/.test(text))

/** Whether a registry's host is this machine, whoever says it. */
export const isLoopback = (server: string): boolean => /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/.test(server)

interface Sending extends RegistryRequest {
  readonly agent: http.Agent
  readonly signal: AbortSignal
}

function send(
  url: URL,
  library: typeof http | typeof https,
  { method, headers, body, agent, signal }: Sending,
): Promise<RegistryAnswer> {
  return new Promise((resolve, reject) => {
    const request = library.request(
      url,
      {
        method,
        agent,
        signal,
        headers: { 'User-Agent': 'devloop', ...headers, 'Content-Length': Buffer.byteLength(body ?? '') },
      },
      (answer) => {
        const chunks: Buffer[] = []
        let size = 0
        answer.on('data', (chunk: Buffer) => {
          if (size < bodyLimit) chunks.push(chunk)
          size += chunk.length
        })
        answer.on('error', reject)
        answer.on('end', () => {
          const text = Buffer.concat(chunks).subarray(0, bodyLimit).toString('utf8')
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text })
        })
      },
    )
    request.on('error', reject)
    request.end(body)
  })
}

/** Trusts what Node trusts, and what engines of this machine are told to trust of this registry. */
async function secureAgent(server: string, lenient: boolean, env: Environment): Promise<https.Agent> {
  const home = env['HOME'] || homedir()
  const folders = [
    '/etc/docker/certs.d',
    path.join(home, '.config', 'docker', 'certs.d'),
    path.join(home, '.docker', 'certs.d'),
    '/etc/containers/certs.d',
    path.join(home, '.config', 'containers', 'certs.d'),
  ].map((folder) => path.join(folder, server))
  const files = (await Promise.all(folders.map(readFolder))).flat()
  const ca = files.filter(({ name }) => name.endsWith('.crt')).map(({ text }) => text)
  const certificate = files.find(({ name }) => name.endsWith('.cert'))
  const key = certificate && files.find(({ name }) => name === certificate.name.replace(/\.cert$/, '.key'))
  const { rootCertificates } = await import('node:tls')
  return new https.Agent({
    keepAlive: true,
    rejectUnauthorized: !lenient || ca.length > 0,
    ...(ca.length > 0 ? { ca: [...rootCertificates, ...ca] } : {}),
    ...(certificate && key ? { cert: certificate.text, key: key.text } : {}),
  })
}

async function readFolder(folder: string): Promise<readonly { readonly name: string; readonly text: string }[]> {
  const names = await readdir(folder).catch(() => [])
  const read = names.map(async (name) => ({ name, text: await readFile(path.join(folder, name), 'utf8').catch(() => '') }))
  return (await Promise.all(read)).filter(({ text }) => text !== '')
}
