// Apache Kafka, one node without ZooKeeper, by its official image (https://hub.docker.com/r/apache/kafka).
import { text } from '../text.js'
import { called, UsageError } from '../values.js'
import { makeService } from './service.js'
import type { Kafka, KafkaOptions } from './types.js'

/** Of apache/kafka's own examples; it names the data, and nothing else knows it. */
const clusterId = '4L6g3nShT-eMCtK--X86sw'

/**
 * A Kafka broker, without password and encryption. Its topics are on a volume that outlives its pods, and whoever refers to its address
 * waits until it is ready.
 *
 * @param name lower-case letters, digits and `-`, beginning with a letter: also the name of its Service
 * @example
 * const events = kafka('events', { forward: 9092 })
 * const worker = app('worker', { image: server, env: { KAFKA_BROKERS: events.brokers } })
 */
export function kafka(name: string, options: KafkaOptions = {}): Kafka {
  return makeService<Kafka, KafkaOptions>(
    {
      kind: 'kafka',
      api: kafka,
      options: [],
      repository: 'docker.io/apache/kafka',
      version: '4.1.0',
      user: () => 1000,
      data: '/var/lib/kafka/data',
      memory: '1Gi',
      open: true,
      app: ({ options: { forward } }) => {
        if (forward !== undefined && typeof forward !== 'number')
          throw new UsageError(
            `${called('kafka', name)}: \`forward\` must be the number of a port of this machine.`,
            'Kafka tells programs there to go on at that port.',
            kafka,
          )
        const local = forward
        return {
          // who connects is told to go on at the address of the listener, so each kind of client needs one of its own
          ports: { main: 9092, ...(local === undefined ? {} : { local: 9094 }) },
          ...(local === undefined ? {} : { forward: { local } }),
          env: {
            CLUSTER_ID: clusterId,
            KAFKA_NODE_ID: 1,
            KAFKA_PROCESS_ROLES: 'broker,controller',
            KAFKA_LISTENERS: `CLIENTS://:9092,CONTROLLER://localhost:9093,LOCAL://:9094,POD://localhost:9095`,
            KAFKA_ADVERTISED_LISTENERS: `CLIENTS://${name}:9092,LOCAL://localhost:${local ?? 9094},POD://localhost:9095`,
            KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT,LOCAL:PLAINTEXT,POD:PLAINTEXT',
            KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
            KAFKA_INTER_BROKER_LISTENER_NAME: 'POD',
            KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:9093',
            // a folder below the volume: Kafka takes all that it finds there for topics, also lost+found
            KAFKA_LOG_DIRS: '/var/lib/kafka/data/logs',
            KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: 1,
            KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: 1,
            KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: 1,
            KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: 0,
            KAFKA_HEAP_OPTS: '-Xms256m -Xmx512m',
          },
          // by the listener that leads to the pod itself: the Service leads to none before it is ready
          probe: {
            exec: 'KAFKA_HEAP_OPTS=-Xmx128m /opt/kafka/bin/kafka-broker-api-versions.sh --bootstrap-server localhost:9095',
            startPeriod: 5,
            period: 60,
            timeout: 30,
          },
        }
      },
      values: (_given, made) => ({ brokers: text`${made.address}` }),
      valueNames: ['brokers'],
    },
    name,
    options,
  )
}
