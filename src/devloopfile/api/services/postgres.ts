// PostgreSQL, by its official image (https://hub.docker.com/_/postgres).
import { text, textOf } from '../text.js'
import { makeService } from './service.js'
import type { Database, DatabaseOptions } from './types.js'

/**
 * A PostgreSQL server with one database. Its password is made once in the cluster, its data is on a volume that outlives its pods, and
 * whoever refers to one of its values waits until it is ready.
 *
 * @param name lower-case letters, digits and `-`, beginning with a letter: also the name of its Service
 * @example
 * const db = postgres('db', { version: 16, forward: 5432 })
 * const api = app('api', { image: server, port: 8080, env: { DATABASE_URL: db.url } })
 */
export function postgres(name: string, options: DatabaseOptions = {}): Database {
  return makeService<Database, DatabaseOptions>(
    {
      kind: 'postgres',
      api: postgres,
      options: ['database', 'user'],
      repository: 'docker.io/library/postgres',
      version: '16',
      user: (tag) => (tag.includes('alpine') ? 70 : 999),
      // a folder of no version's own: since 18 the image keeps its data in another place
      data: '/data',
      memory: '512Mi',
      app: ({ options: { database = 'app', user = 'app' }, password }) => ({
        port: 5432,
        env: {
          POSTGRES_USER: user,
          POSTGRES_PASSWORD: password,
          POSTGRES_DB: database,
          // below the volume: initdb refuses a folder that holds anything, such as lost+found
          PGDATA: '/data/pgdata',
        },
        // by TCP: the server that the first start makes the database with listens on a socket only
        probe: { exec: 'pg_isready -q -h 127.0.0.1 -p 5432 -U "$POSTGRES_USER" -d "$POSTGRES_DB"', period: 5 },
      }),
      values: ({ options: { database = 'app', user = 'app' }, password, passwordInUrl }, made) => ({
        url: text`postgres://${user}:${passwordInUrl}@${made.address}/${database}`,
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
