// By which libraries and variables a service is recognised, and which of its values a variable wants.
import type { BaseName } from './bases.js'

/** The functions of the Devloopfile's API for services; the base images have the same names. */
export type ServiceKind = 'postgres' | 'mysql' | 'mongodb' | 'redis' | 'rabbitmq' | 'kafka' | 'minio'

/** A value of a service that a variable can hold. */
export type ServiceValue =
  | 'url'
  | 'address'
  | 'host'
  | 'port'
  | 'user'
  | 'password'
  | 'database'
  | 'brokers'
  | 'bucket'
  | 'jdbc'
  | 'ado'

interface Signs {
  readonly title: string
  /** Name that the service gets when it is alone of its sort. */
  readonly name: string
  /** The library is the service's client and of no other. */
  readonly libraries: RegExp
  /** Schemes of addresses. */
  readonly schemes: RegExp
  /** What the names of its variables begin with; the first is what it is called by when no variable is named. */
  readonly prefixes: readonly string[]
  /** Prefixes that prove it without a library. */
  readonly sure: readonly string[]
  /** The variables that are set where none is named. */
  readonly usual: Readonly<Record<string, ServiceValue>>
  /** What a variable that wants an address of all in one gets. */
  readonly url: ServiceValue
  /** Where it listens. */
  readonly port: number
}

export const serviceSigns: Readonly<Record<ServiceKind & BaseName, Signs>> = {
  postgres: {
    title: 'PostgreSQL',
    name: 'db',
    libraries:
      /^(pg|pg-promise|postgres|slonik|psycopg2?(-binary)?|psycopg\[.*\]|asyncpg|aiopg|github\.com\/(jackc\/pgx|lib\/pq)(\/.*)?|gorm\.io\/driver\/postgres|org\.postgresql:.*|tokio-postgres|postgres-types|deadpool-postgres|ext-(pdo_)?pgsql|Npgsql.*)$/i,
    schemes: /^postgres(ql)?(\+\w+)?:\/\//,
    prefixes: ['DATABASE', 'DB', 'POSTGRES', 'POSTGRESQL', 'PG', 'SPRING_DATASOURCE'],
    sure: ['POSTGRES', 'POSTGRESQL', 'PG'],
    usual: { DATABASE_URL: 'url' },
    url: 'url',
    port: 5432,
  },
  mysql: {
    title: 'MySQL',
    name: 'db',
    libraries:
      /^(mysql2?|mariadb|pymysql|mysqlclient|aiomysql|mysql-connector(-python)?|github\.com\/go-sql-driver\/mysql|gorm\.io\/driver\/mysql|com\.mysql:.*|mysql:mysql-connector-java|org\.mariadb\.jdbc:.*|ext-(pdo_)?mysqli?|MySqlConnector|MySql\.Data|Pomelo\.EntityFrameworkCore\.MySql)$/i,
    schemes: /^(mysql|mariadb)(\+\w+)?:\/\//,
    prefixes: ['DATABASE', 'DB', 'MYSQL', 'MARIADB', 'SPRING_DATASOURCE'],
    sure: ['MYSQL', 'MARIADB'],
    usual: { DATABASE_URL: 'url' },
    url: 'url',
    port: 3306,
  },
  mongodb: {
    title: 'MongoDB',
    name: 'mongo',
    libraries:
      /^(mongodb|mongoose|pymongo|motor|mongoengine|beanie|go\.mongodb\.org\/mongo-driver(\/.*)?|org\.mongodb:.*|.*:spring-boot-starter-data-mongodb(-reactive)?|mongoid|mongo|mongodb\/mongodb|MongoDB\.Driver)$/i,
    schemes: /^mongodb(\+srv)?:\/\//,
    prefixes: ['MONGO', 'MONGODB', 'SPRING_DATA_MONGODB', 'DATABASE', 'DB'],
    sure: ['MONGO', 'MONGODB'],
    usual: { MONGO_URL: 'url' },
    url: 'url',
    port: 27017,
  },
  redis: {
    title: 'Redis',
    name: 'redis',
    libraries:
      /^(redis|ioredis|@redis\/client|bull|bullmq|bee-queue|connect-redis|rq|arq|aioredis|django-redis|github\.com\/(redis|go-redis)\/(go-)?redis(\/.*)?|github\.com\/gomodule\/redigo|.*:spring-boot-starter-data-redis(-reactive)?|redis\.clients:jedis|io\.lettuce:.*|sidekiq|predis\/predis|ext-redis|StackExchange\.Redis)$/i,
    schemes: /^rediss?:\/\//,
    prefixes: ['REDIS', 'SPRING_DATA_REDIS', 'SPRING_REDIS', 'CACHE', 'CELERY_BROKER', 'BROKER'],
    sure: ['REDIS'],
    usual: { REDIS_URL: 'url' },
    url: 'url',
    port: 6379,
  },
  rabbitmq: {
    title: 'RabbitMQ',
    name: 'rabbitmq',
    libraries:
      /^(amqplib|amqp-connection-manager|pika|aio-pika|github\.com\/(rabbitmq\/amqp091-go|streadway\/amqp)|.*:spring-boot-starter-amqp|com\.rabbitmq:.*|lapin|bunny|php-amqplib\/php-amqplib|RabbitMQ\.Client)$/i,
    schemes: /^amqps?:\/\//,
    prefixes: ['RABBITMQ', 'RABBIT', 'AMQP', 'CLOUDAMQP', 'SPRING_RABBITMQ', 'CELERY_BROKER', 'BROKER'],
    sure: ['RABBITMQ', 'RABBIT', 'AMQP', 'CLOUDAMQP'],
    usual: { AMQP_URL: 'url' },
    url: 'url',
    port: 5672,
  },
  kafka: {
    title: 'Kafka',
    name: 'kafka',
    libraries:
      /^(kafkajs|node-rdkafka|@confluentinc\/kafka-javascript|kafka-python(-ng)?|confluent-kafka|aiokafka|github\.com\/(segmentio\/kafka-go|IBM\/sarama|Shopify\/sarama|twmb\/franz-go|confluentinc\/confluent-kafka-go)(\/.*)?|org\.springframework\.kafka:.*|org\.apache\.kafka:.*|rdkafka|ruby-kafka|Confluent\.Kafka)$/i,
    schemes: /^kafka:\/\//,
    prefixes: ['KAFKA', 'SPRING_KAFKA'],
    sure: ['KAFKA'],
    usual: { KAFKA_BROKERS: 'brokers' },
    url: 'brokers',
    port: 9092,
  },
  minio: {
    title: 'S3 (MinIO)',
    name: 'minio',
    libraries:
      /^(minio|@aws-sdk\/client-s3|aws-sdk-s3|github\.com\/minio\/minio-go(\/.*)?|github\.com\/aws\/aws-sdk-go-v2\/service\/s3|io\.minio:.*|software\.amazon\.awssdk:s3|rust-s3|AWSSDK\.S3|Minio)$/i,
    schemes: /^s3:\/\//,
    prefixes: ['S3', 'MINIO', 'AWS_S3', 'AWS'],
    sure: ['MINIO'],
    usual: { S3_ENDPOINT: 'url', S3_ACCESS_KEY: 'user', S3_SECRET_KEY: 'password', S3_BUCKET: 'bucket' },
    url: 'url',
    port: 9000,
  },
}

export const serviceKinds = Object.keys(serviceSigns) as readonly ServiceKind[]

const suffixes: readonly (readonly [RegExp, ServiceValue | 'any url'])[] = [
  [/^(URL|URI|DSN|CONNECTION_STRING|CONNECTION_URI|CONNECTION_URL|ENDPOINT|ENDPOINT_URL|ENDPOINT_URL_S3|CONN)$/, 'any url'],
  [/^(HOST|HOSTNAME|SERVER)$/, 'host'],
  [/^(ADDR|ADDRESS|HOST_PORT)$/, 'address'],
  [/^(ADDRESSES|BROKERS?|BROKER_LIST|BOOTSTRAP|BOOTSTRAP_SERVERS|SERVERS)$/, 'brokers'],
  [/^PORT$/, 'port'],
  [/^(USER|USERNAME|ACCESS_KEY|ACCESS_KEY_ID|ROOT_USER)$/, 'user'],
  [/^(PASSWORD|PASS|PWD|PASSWD|SECRET_KEY|SECRET_ACCESS_KEY|ROOT_PASSWORD)$/, 'password'],
  [/^(NAME|DATABASE|DB|DBNAME|DB_NAME|DATABASE_NAME)$/, 'database'],
  [/^(BUCKET|BUCKET_NAME)$/, 'bucket'],
]

/** What each kind has to give, by the name of the property. */
const gives: Readonly<Record<ServiceKind, readonly ServiceValue[]>> = {
  postgres: ['url', 'address', 'host', 'port', 'user', 'password', 'database', 'jdbc', 'ado'],
  mysql: ['url', 'address', 'host', 'port', 'user', 'password', 'database', 'jdbc', 'ado'],
  mongodb: ['url', 'address', 'host', 'port', 'user', 'password', 'database'],
  redis: ['url', 'address', 'host', 'port', 'password'],
  rabbitmq: ['url', 'address', 'host', 'port', 'user', 'password'],
  kafka: ['brokers', 'address', 'host', 'port'],
  minio: ['url', 'address', 'host', 'port', 'user', 'password', 'bucket'],
}

/** Which value of a service a variable of this name wants; undefined when it is none of this kind's. */
export function valueOf(kind: ServiceKind, variable: string, sureOnly = false): ServiceValue | undefined {
  const signs = serviceSigns[kind]
  for (const prefix of sureOnly ? signs.sure : signs.prefixes) {
    const rest = variable.startsWith(`${prefix}_`)
      ? variable.slice(prefix.length + 1)
      : prefix === 'PG' && variable.startsWith('PG')
        ? variable.slice(2)
        : undefined
    const value = suffixes.find(([suffix]) => rest !== undefined && suffix.test(rest))?.[1]
    if (value === undefined) continue
    const wanted = value === 'any url' ? (variable === 'SPRING_DATASOURCE_URL' ? 'jdbc' : signs.url) : value
    return gives[kind].includes(wanted) ? wanted : undefined
  }
  return undefined
}
