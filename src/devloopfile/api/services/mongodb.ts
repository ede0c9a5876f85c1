// MongoDB, by its official image (https://hub.docker.com/_/mongo).
import { text, textOf } from '../text.js'
import { makeService } from './service.js'
import type { Database, DatabaseOptions } from './types.js'

/**
 * A MongoDB server. Its password is made once in the cluster, its data is on a volume that outlives its pods, and whoever refers to one of
 * its values waits until it is ready. The user is its root user; the database comes into being when something is written to it.
 *
 * @param name lower-case letters, digits and `-`, beginning with a letter: also the name of its Service
 * @example
 * const db = mongodb('db')
 * const api = app('api', { image: server, port: 8080, env: { MONGO_URL: db.url } })
 */
export function mongodb(name: string, options: DatabaseOptions = {}): Database {
  return makeService<Database, DatabaseOptions>(
    {
      kind: 'mongodb',
      api: mongodb,
      options: ['database', 'user'],
      repository: 'docker.io/library/mongo',
      version: '7',
      user: () => 999,
      data: '/data/db',
      memory: '1Gi',
      app: ({ options: { user = 'app' }, password }) => ({
        port: 27017,
        env: { MONGO_INITDB_ROOT_USERNAME: user, MONGO_INITDB_ROOT_PASSWORD: password },
        // with the login, and by the pod's own address: the server that the first start makes the user with listens on 127.0.0.1 only
        probe: {
          exec: `mongosh --quiet --host "$HOSTNAME" --eval '${login}'`,
          startPeriod: 2,
          period: 30,
          timeout: 15,
        },
      }),
      values: ({ options: { database = 'app', user = 'app' }, password, passwordInUrl }, made) => ({
        url: text`mongodb://${user}:${passwordInUrl}@${made.address}/${database}?authSource=admin`,
        user: text`${user}`,
        password: textOf(made, password),
        database: text`${database}`,
      }),
      valueNames: ['url', 'user', 'password', 'database'],
    },
    name,
    options,
  )
}

/** The password is read from the environment: arguments can be seen in the list of processes. */
const login =
  'db.getSiblingDB("admin").auth(process.env.MONGO_INITDB_ROOT_USERNAME, process.env.MONGO_INITDB_ROOT_PASSWORD).ok || quit(1)'
