// The image pruner over a Docker engine, and over the registries that it pushes to.
import type { MadeImage } from '../../model/made-image.js'
import type { ImagePruner, LabelledImage } from '../../ports/image-pruner.js'
import { registryHost, type FindLogin } from './auth.js'
import { readCache, removeFromCache } from './build-cache.js'
import type { Environment } from './docker-config.js'
import { EngineAnswerError, type ConnectEngine, type Engine } from './engine.js'
import { imageLabel, instanceLabel } from '../../model/image-labels.js'
import { createRegistryClient } from './registry-client.js'
import { createRegistryHttp, isLoopback } from './registry-http.js'
import { removeFromRegistry } from './registry-removal.js'

export interface PrunerOptions {
  readonly connect: ConnectEngine
  /** Where DOCKER_CONFIG and its like are read. */
  readonly env: Environment
  readonly findLogin: FindLogin
}

export function createImagePruner({ connect, env, findLogin }: PrunerOptions): ImagePruner {
  return {
    engine: async (signal) => (await connect(signal)).endpoint.address,
    async labelled(instance, signal) {
      const engine = await connect(signal)
      return ask(engine, 'list its images', async () => {
        const found = await engine.json<readonly EngineImage[]>({
          method: 'GET',
          path: '/images/json',
          query: { filters: { label: [`${instanceLabel}=${instance}`] } },
          signal,
        })
        return found.flatMap((image) => labelledOf(image, engine.endpoint.address))
      })
    },
    async removeFromEngine({ repository, tag, id }, signal) {
      const engine = await connect(signal)
      const name = `${repository}:${tag}`
      return ask(engine, `remove the image ${name}`, async () => {
        try {
          const { Id: now } = await engine.json<{ Id: string }>({ method: 'GET', path: `/images/${name}/json`, signal })
          // somebody gave the name to another image
          if (now !== id) return 'gone'
          await engine.json({ method: 'DELETE', path: `/images/${name}`, signal })
          return 'removed'
        } catch (error) {
          if (error instanceof EngineAnswerError && error.status === 404) return 'gone'
          if (error instanceof EngineAnswerError && error.status === 409) return 'used'
          throw error
        }
      })
    },
    async removeFromRegistry(image: MadeImage, going, signal) {
      const host = registryHost(image.repository)
      // it takes no deletions over this API
      if (host === 'docker.io') return 'refused'
      const [auth, insecure] = await Promise.all([
        findLogin(host, signal),
        connect(signal).then((engine) => mayBePlain(engine, host, signal)),
      ])
      const http = createRegistryHttp(host, env, insecure)
      try {
        const { repository } = image
        const doing = `remove images from ${repository}`
        return await removeFromRegistry(createRegistryClient({ http, repository, auth, doing }), image, going, signal)
      } finally {
        http.close()
      }
    },
    async cache(signal) {
      const engine = await connect(signal)
      return ask(engine, 'say what its build cache holds', () => readCache(engine, signal))
    },
    async removeCache(ids, signal) {
      const engine = await connect(signal)
      return ask(engine, 'thin out its build cache', () => removeFromCache(engine, ids, signal))
    },
  }
}

interface EngineImage {
  readonly Id: string
  readonly RepoTags?: readonly string[] | null
  readonly Labels?: Readonly<Record<string, string>> | null
  /** Seconds since 1970. */
  readonly Created: number
}

function labelledOf(
  { Id: id, RepoTags: names, Labels: labels, Created: created }: EngineImage,
  engine: string,
): readonly LabelledImage[] {
  return (names ?? []).flatMap((name) => {
    const [, repository, tag] = /^(.+):([^:/]+)$/.exec(name) ?? []
    // an image that was built on ours has our label as well, but no tag that is made of its id
    if (!repository || !tag?.endsWith(`devloop-${id.replace(/^sha256:/, '').slice(0, 16)}`)) return []
    const pushed = /[.:]|^localhost$/.test(repository.split('/')[0] ?? '')
    return [{ image: labels?.[imageLabel] ?? repository, id, repository, tag, pushed, engine, at: created * 1000 }]
  })
}

async function ask<T>(engine: Engine, what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw engine.refused(error, what)
  }
}

/** Whether the engine would speak plain HTTP to a registry. */
async function mayBePlain(engine: Engine, host: string, signal: AbortSignal): Promise<boolean> {
  if (isLoopback(host)) return true
  const info = await engine
    .json<{ RegistryConfig?: { IndexConfigs?: Record<string, { Secure?: boolean } | undefined> } }>({
      method: 'GET',
      path: '/info',
      signal,
    })
    .catch(() => undefined)
  return info?.RegistryConfig?.IndexConfigs?.[host]?.Secure === false
}
