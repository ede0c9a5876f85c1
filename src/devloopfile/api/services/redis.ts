// Redis, by its official image (https://hub.docker.com/_/redis).
import { text, textOf } from '../text.js'
import { makeService } from './service.js'
import type { Redis, ServiceOptions } from './types.js'

/**
 * A Redis server. Its password is made once in the cluster, what it holds is on a volume that outlives its pods, and whoever refers to
 * one of its values waits until it is ready.
 *
 * @param name lower-case letters, digits and `-`, beginning with a letter: also the name of its Service
 * @example
 * const cache = redis('cache')
 * const api = app('api', { image: server, port: 8080, env: { REDIS_URL: cache.url } })
 */
export function redis(name: string, options: ServiceOptions = {}): Redis {
  return makeService<Redis, ServiceOptions>(
    {
      kind: 'redis',
      api: redis,
      options: [],
      repository: 'docker.io/library/redis',
      version: '7',
      user: () => 999,
      data: '/data',
      memory: '256Mi',
      app: ({ password }) => ({
        port: 6379,
        command: 'exec redis-server --requirepass "$REDISCLI_AUTH" --appendonly yes --dir /data',
        // the name that redis-cli takes it by
        env: { REDISCLI_AUTH: password },
        // it answers LOADING, and is done well, while it reads what it holds
        probe: { exec: '[ "$(redis-cli ping)" = PONG ]', period: 5 },
      }),
      values: ({ password, passwordInUrl }, made) => ({
        url: text`redis://:${passwordInUrl}@${made.address}`,
        password: textOf(made, password),
      }),
      valueNames: ['url', 'password'],
    },
    name,
    options,
  )
}
