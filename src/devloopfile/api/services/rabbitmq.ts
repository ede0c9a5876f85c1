// RabbitMQ with its management plugin, by its official image (https://hub.docker.com/_/rabbitmq).
import { text, textOf } from '../text.js'
import { makeService } from './service.js'
import type { RabbitMQ, RabbitMQOptions } from './types.js'

/**
 * A RabbitMQ server. Its password is made once in the cluster, its queues are on a volume that outlives its pods, and whoever refers to
 * one of its values waits until it is ready.
 *
 * @param name lower-case letters, digits and `-`, beginning with a letter: also the name of its Service
 * @example
 * const queue = rabbitmq('queue', { forward: { management: 15672 } })
 * const worker = app('worker', { image: server, env: { AMQP_URL: queue.url } })
 */
export function rabbitmq(name: string, options: RabbitMQOptions = {}): RabbitMQ {
  return makeService<RabbitMQ, RabbitMQOptions>(
    {
      kind: 'rabbitmq',
      api: rabbitmq,
      options: ['user', 'vhost'],
      repository: 'docker.io/library/rabbitmq',
      version: '4-management',
      user: (tag) => (tag.includes('alpine') ? 100 : 999),
      data: '/var/lib/rabbitmq',
      memory: '1Gi',
      app: ({ options: { user = 'app', vhost }, password }) => ({
        ports: { amqp: 5672, management: 15672 },
        env: {
          RABBITMQ_DEFAULT_USER: user,
          RABBITMQ_DEFAULT_PASS: password,
          ...(vhost === undefined ? {} : { RABBITMQ_DEFAULT_VHOST: vhost }),
          // its data belongs to a name, and a pod's host name is another each time
          RABBITMQ_NODENAME: 'rabbit@localhost',
        },
        // each question starts a machine of Erlang's
        probe: { exec: 'rabbitmq-diagnostics -q check_port_connectivity', startPeriod: 3, period: 30, timeout: 20 },
      }),
      values: ({ options: { user = 'app', vhost }, password, passwordInUrl }, made) => ({
        // without a path it is the virtual host `/`
        url: text`amqp://${user}:${passwordInUrl}@${made.address}${vhost === undefined ? '' : `/${vhost}`}`,
        user: text`${user}`,
        password: textOf(made, password),
      }),
      valueNames: ['url', 'user', 'password'],
    },
    name,
    options,
  )
}
