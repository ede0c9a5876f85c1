// The base images of generated Dockerfiles and the images of services: the one table of defaults, and how it is redirected.
import { existsSync, readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { didYouMean } from '../errors/did-you-mean.js'
import { DevloopError } from '../errors/devloop-error.js'

/**
 * Names to references; `{version}` stands for the version that the sources ask for, else that of `defaultVersions`. Looked through on
 * 2026-11-23: the newest version with long-term support of each.
 */
const defaults = {
  // build and run
  node: 'docker.io/library/node:{version}-slim',
  bun: 'docker.io/oven/bun:{version}-slim',
  python: 'docker.io/library/python:{version}-slim',
  go: 'docker.io/library/golang:{version}-bookworm',
  rust: 'docker.io/library/rust:{version}-bookworm',
  java: 'docker.io/library/eclipse-temurin:{version}-jdk',
  maven: 'docker.io/library/maven:3-eclipse-temurin-{version}',
  gradle: 'docker.io/library/gradle:8-jdk{version}',
  ruby: 'docker.io/library/ruby:{version}-slim',
  php: 'docker.io/library/php:{version}-apache',
  composer: 'docker.io/library/composer:{version}',
  dotnet: 'mcr.microsoft.com/dotnet/sdk:{version}',
  // run only: what the `prod` stage is made of
  // with and without a C library; of the same Debian as the images that build for them
  static: 'gcr.io/distroless/static-debian{version}',
  cc: 'gcr.io/distroless/cc-debian{version}',
  'java-run': 'docker.io/library/eclipse-temurin:{version}-jre',
  'dotnet-run': 'mcr.microsoft.com/dotnet/aspnet:{version}',
  nginx: 'docker.io/nginxinc/nginx-unprivileged:{version}',
  // services
  postgres: 'docker.io/library/postgres:{version}',
  mysql: 'docker.io/library/mysql:{version}',
  mongodb: 'docker.io/library/mongo:{version}',
  redis: 'docker.io/library/redis:{version}',
  rabbitmq: 'docker.io/library/rabbitmq:{version}',
  kafka: 'docker.io/apache/kafka:{version}',
  minio: 'docker.io/minio/minio:{version}',
} as const

export type BaseName = keyof typeof defaults

const defaultVersions: Readonly<Record<BaseName, string>> = {
  node: '22',
  bun: '1',
  python: '3.13',
  go: '1.25',
  rust: '1',
  java: '21',
  maven: '21',
  gradle: '21',
  ruby: '3.4',
  php: '8.4',
  composer: '2',
  dotnet: '8.0',
  static: '12',
  cc: '12',
  'java-run': '21',
  'dotnet-run': '8.0',
  nginx: '1.28',
  postgres: '16',
  mysql: '8.4',
  mongodb: '7',
  redis: '7',
  rabbitmq: '4',
  kafka: '4.0.0',
  minio: 'latest',
}

export interface Bases {
  /**
   * The reference of a base image, with its registry: `docker.io/library/node:22-slim`.
   * @param version what the sources ask for, such as `22` or `3.12`. Default: the table's
   */
  image(name: BaseName, version?: string): string
  /** The version that is taken where the sources ask for none. */
  defaultVersion(name: BaseName): string
  /** Whether this image comes from elsewhere than the table's default. */
  redirected(name: BaseName): boolean
}

export interface BasesOptions {
  /** `HOST[:PORT][/PREFIX]` that stands in place of the registry's host in all that `own` does not name. */
  readonly mirror?: string | undefined
  /** Names to references of one's own; later ones win. */
  readonly own?: readonly Readonly<Record<string, string>>[]
}

/** @throws DevloopError init/bases on a name that no table has */
export function makeBases({ mirror, own = [] }: BasesOptions = {}): Bases {
  const chosen = Object.assign({}, ...own) as Readonly<Record<string, string>>
  for (const name of Object.keys(chosen))
    if (!Object.hasOwn(defaults, name))
      throw new DevloopError('init/bases', `There is no base image named '${name}'.`, {
        why: `Names: ${Object.keys(defaults).join(', ')}.`,
        help: didYouMean(name, Object.keys(defaults)) ?? 'Use one of these names.',
      })
  if (mirror !== undefined && !/^[A-Za-z0-9.-]+(:\d+)?(\/[a-z0-9._/-]+)?$/.test(mirror))
    throw new DevloopError('init/bases', `'${mirror}' is no place of images.`, {
      help: 'Write --mirror HOST[:PORT][/PREFIX], such as --mirror harbor.example.com/docker-hub.',
    })
  return {
    image(name, version = defaultVersions[name]) {
      const reference = chosen[name] ?? moved(defaults[name], mirror)
      return reference.replaceAll('{version}', version)
    },
    defaultVersion: (name) => defaultVersions[name],
    redirected: (name) => Object.hasOwn(chosen, name) || mirror !== undefined,
  }
}

const moved = (reference: string, mirror: string | undefined): string =>
  mirror === undefined ? reference : `${mirror.replace(/\/+$/, '')}/${reference.slice(reference.indexOf('/') + 1)}`

/**
 * A file with names and references, as YAML or JSON: `node: registry.example.com/base/node:{version}`.
 * @returns undefined when it is not there and `optional`
 * @throws DevloopError init/bases
 */
export function readBases(file: string, optional = false): Readonly<Record<string, string>> | undefined {
  if (optional && !existsSync(file)) return undefined
  const refuse = (why: string): DevloopError =>
    new DevloopError('init/bases', `The base images in ${file} cannot be used.`, { why, where: { file, line: 1 } })
  let value: unknown
  try {
    value = parse(readFileSync(file, 'utf8'))
  } catch (thrown) {
    throw refuse(thrown instanceof Error ? thrown.message : String(thrown))
  }
  if (value === null) return {}
  if (typeof value !== 'object' || Array.isArray(value)) throw refuse('It is no mapping of names to references.')
  for (const [name, reference] of Object.entries(value))
    if (typeof reference !== 'string' || !/^[^\s]+$/.test(reference))
      throw refuse(`'${name}' must be a reference, such as registry.example.com/base/${name}:{version}.`)
  return value as Record<string, string>
}
