// How an image's name in the Devloopfile becomes the names that it is pushed and pulled by. Pure.
import { createHash } from 'node:crypto'

/** Where images are pushed to, and the names of the same place for whoever pulls. */
export interface RegistryNames {
  /** `host[:port][/path]` that is pushed to. */
  readonly push: string
  /** The same place as the nodes' container runtime names it. */
  readonly pull: string
  /** The one repository, below `push`, that takes all images; the image's name then stands in the tag. Undefined = a repository each. */
  readonly singleName?: string
}

/** An image by repository and tag. */
export interface TaggedName {
  /** Such as `localhost:5000/shop_api`. */
  readonly repository: string
  readonly tag: string
}

/** Longest repository and tag that registries take, by the OCI distribution specification and Docker. */
const repositoryLimit = 255
const tagLimit = 128

/**
 * The names of an image in a registry. A repository is one path element below the registry, because that is what every registry
 * takes: Docker Hub knows no deeper ones, and in OpenShift's the path is exactly namespace and name.
 * @param image name in the Devloopfile, such as `shop/api` or `gcr.io/shop/api`
 * @param tag made from the content
 */
export function namesIn(
  registry: RegistryNames,
  image: string,
  tag: string,
): { readonly push: TaggedName; readonly pull: TaggedName } {
  const { push, pull, singleName } = registry
  if (singleName !== undefined) {
    const packed = packIntoTag(image, tag)
    return {
      push: { repository: `${push}/${singleName}`, tag: packed },
      pull: { repository: `${pull}/${singleName}`, tag: packed },
    }
  }
  const repository = rewrite(image, push)
  return { push: { repository, tag }, pull: { repository: pull + repository.slice(push.length), tag } }
}

/**
 * A name, moved to a registry: `/`, `:` and `@` become `_`. A name that is of the registry already stays as it is.
 * @param registry `host[:port][/path]` without `/` at the end
 */
export function rewrite(image: string, registry: string): string {
  const name = familiarName(image)
  if (name.startsWith(`${registry}/`)) return name
  return `${registry}/${shorten(escape(name), repositoryLimit - registry.length - 1)}`
}

/** As people write it: without Docker Hub's host and its `library/`. */
export const familiarName = (image: string): string =>
  image.replace(/^(?:index\.)?docker\.io\//, '').replace(/^library\/(?=[^/]+$)/, '')

/** With its registry, as nodes and policies that know no default want it: `postgres:16` is `docker.io/library/postgres:16`. */
export function qualifiedName(reference: string): string {
  const [first = '', ...rest] = reference.split('/')
  if (rest.length === 0) return `docker.io/library/${reference}`
  return /[.:]/.test(first) || first === 'localhost' ? reference : `docker.io/${reference}`
}

// hosts may be written in upper case, repositories not; a run of underscores longer than two is none that registries take
const escape = (name: string): string => name.toLowerCase().replaceAll(/[/:@]/g, '_').replaceAll(/_{3,}/g, '__')

// room for the tag made from the content, which must not be cut
const packIntoTag = (image: string, tag: string): string =>
  `${shorten(escape(familiarName(image)), tagLimit - tag.length - 1)}-${tag}`

/** What is too long is cut, and gets a hash, so that two long names stay two. */
function shorten(name: string, limit: number): string {
  if (name.length <= limit) return name
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 8)
  return `${name.slice(0, Math.max(1, limit - 9)).replace(/[._-]+$/, '')}-${hash}`
}
