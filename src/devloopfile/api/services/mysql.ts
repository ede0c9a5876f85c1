// MySQL, by its official image (https://hub.docker.com/_/mysql).
import { text, textOf } from '../text.js'
import { makeService } from './service.js'
import type { Database, DatabaseOptions } from './types.js'

/**
 * A MySQL server with one database. Its password is made once in the cluster (and is root's, too), its data is on a volume that outlives
 * its pods, and whoever refers to one of its values waits until it is ready.
 *
 * @param name lower-case letters, digits and `-`, beginning with a letter: also the name of its Service
 * @example
 * const db = mysql('db')
 * const api = app('api', { image: server, port: 8080, env: { DATABASE_URL: db.url } })
 */
export function mysql(name: string, options: DatabaseOptions = {}): Database {
  return makeService<Database, DatabaseOptions>(
    {
      kind: 'mysql',
      api: mysql,
      options: ['database', 'user'],
      repository: 'docker.io/library/mysql',
      version: '8.4',
      user: () => 999,
      data: '/var/lib/mysql',
      memory: '1Gi',
      app: ({ options: { database = 'app', user = 'app' }, password }) => ({
        port: 3306,
        // below the volume: mysqld makes no database in a folder that holds anything, such as lost+found
        args: ['--datadir=/var/lib/mysql/data'],
        env: {
          MYSQL_ROOT_PASSWORD: password,
          MYSQL_DATABASE: database,
          // the image refuses to be told root
          ...(user === 'root' ? {} : { MYSQL_USER: user, MYSQL_PASSWORD: password }),
        },
        // a question, and by TCP: the server that the first start makes the database with has no network, and `ping` needs no login
        probe: {
          exec: 'MYSQL_PWD="$MYSQL_ROOT_PASSWORD" mysql -h 127.0.0.1 -u "${MYSQL_USER:-root}" -e "SELECT 1" "$MYSQL_DATABASE"',
          period: 5,
        },
      }),
      values: ({ options: { database = 'app', user = 'app' }, password, passwordInUrl }, made) => ({
        url: text`mysql://${user}:${passwordInUrl}@${made.address}/${database}`,
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
