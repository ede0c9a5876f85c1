// The types of the services that a Devloopfile can name by their kind.
import type { App, Env, ForwardOptions, GraphOptions, ProcessOptions, Text } from '../types.js'

/** What every service can be told. */
export interface ServiceOptions<Port extends string = 'main'> extends GraphOptions {
  /** Reference of another image that takes the same variables, such as one of a company's mirror. Default: the official image. */
  image?: string
  /** Tag of the official image, such as `'16-alpine'`. */
  version?: string | number
  /**
   * Its password: a text, such as `generated('shared')`, or a string where it need not be secret. A text must hold letters and digits
   * only, since it becomes part of an address. Default: a generated value of its own, `NAME-password`.
   */
  password?: string | Text
  /** Size of the volume with its data, as a Kubernetes quantity. Default: `1Gi`. */
  size?: string
  /** Storage class of that volume. Default: that of the cluster. */
  storageClass?: string
  /** Ports of this machine that lead to it, as of an `app`. */
  forward?: number | { readonly [Name in NoInfer<Port>]?: number | ForwardOptions }
  /** What it may use at most, as Kubernetes quantities. */
  limits?: { cpu?: string; memory?: string }
  /** User that it runs as, and group of its volume. Default: that of the official image. Left out on OpenShift, which gives numbers of its own. */
  runAs?: number
  /** More of its environment. It wins over what devloop sets. */
  env?: Env
  /** How to run it on this machine, without cluster and Docker. Without it, it and who needs it are held there. */
  process?: ProcessOptions
}

export interface DatabaseOptions extends ServiceOptions {
  /** Name of the database that is made: letters, digits, `_` and `-`. Default: `app`. */
  database?: string
  /** Name of the user that it belongs to. Default: `app`. */
  user?: string
}

/** A database, with what its users must know. Whoever refers to one of these waits until it is ready. */
export interface Database extends App<'main'> {
  /** All in one, such as `postgres://app:PASSWORD@db:5432/app`. */
  readonly url: Text
  readonly user: Text
  readonly password: Text
  /** Name of the database. */
  readonly database: Text
}

export interface Redis extends App<'main'> {
  /** `redis://:PASSWORD@HOST:PORT` */
  readonly url: Text
  readonly password: Text
}

export interface RabbitMQOptions extends ServiceOptions<'amqp' | 'management'> {
  /** Name of its user. Default: `app`. */
  user?: string
  /** Virtual host that is made: letters, digits, `_` and `-`. Default: `/`. */
  vhost?: string
}

export interface RabbitMQ extends App<'amqp' | 'management'> {
  /** `amqp://USER:PASSWORD@HOST:PORT`, with the virtual host where one is said. */
  readonly url: Text
  readonly user: Text
  readonly password: Text
}

/** With `forward`, programs of this machine reach it by that port; it is a number, since Kafka tells them the port. */
export interface KafkaOptions extends Omit<ServiceOptions, 'password' | 'forward'> {
  /** Port of this machine that leads to it: programs there are told `localhost` and this port. */
  forward?: number
}

export interface Kafka extends App<'main'> {
  /** `HOST:PORT`, for a client's list of bootstrap servers. */
  readonly brokers: Text
}

export interface MinioOptions extends ServiceOptions<'api' | 'console'> {
  /** Name of its user, which is the access key: 3 letters at least. Default: `app`. */
  user?: string
  /** The bucket that is made. Default: `app`. */
  bucket?: string
}

export interface Minio extends App<'api' | 'console'> {
  /** `http://HOST:PORT`, the endpoint of its S3 API. */
  readonly url: Text
  /** The access key. */
  readonly user: Text
  /** The secret key. */
  readonly password: Text
  /** Name of the bucket. */
  readonly bucket: Text
}
