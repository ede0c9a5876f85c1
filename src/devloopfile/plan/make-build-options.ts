// How an image is built: the options of `image` beside context, Dockerfile and live rules.
import { isIP } from 'node:net'
import { resolve } from 'node:path'
import type { BuildOptions } from '../../model/plan.js'
import type { ImageOptions } from '../api/types.js'
import type { Encoded } from '../declaration.js'
import { broken, options, record, string, strings, wrong, type Subject } from './fields.js'

type Given = Partial<Record<keyof ImageOptions, Encoded>>

/** @param base folder of the file that the call stands in */
export function makeBuildOptions(subject: Subject, given: Given, base: string): BuildOptions {
  const secrets = makeSecrets(subject, given.secrets, base)
  const ssh = makeSsh(subject, given.ssh, base)
  const platform = makePlatform(subject, given.platform)
  const network = string(subject, 'network', given.network)
  const extraHosts = makeExtraHosts(subject, given.extraHosts)
  const cacheFrom = strings(subject, 'cacheFrom', given.cacheFrom)
  for (const one of cacheFrom ?? [])
    if (!/^[\w.:/@-]+$/.test(one))
      wrong(subject, 'cacheFrom', "references of images, such as 'registry.example/shop/api:main'", one)
  if (given.pull !== undefined && typeof given.pull !== 'boolean') wrong(subject, 'pull', 'true or false', given.pull)
  const labels = makeLabels(subject, given.labels)
  const tags = makeTags(subject, given.tags)
  return {
    ...(filled(secrets) ? { secrets } : {}),
    ...(filled(ssh) ? { ssh } : {}),
    ...(platform === undefined ? {} : { platform }),
    ...(network === undefined ? {} : { network }),
    ...(filled(extraHosts) ? { extraHosts } : {}),
    ...(filled(cacheFrom) ? { cacheFrom } : {}),
    ...(given.pull === true ? { pull: true } : {}),
    ...(filled(labels) ? { labels } : {}),
    ...(filled(tags) ? { tags } : {}),
  }
}

const filled = <T extends object>(value: T | undefined): value is T => value !== undefined && Object.keys(value).length > 0

/** The entries of an object whose values may be anything. */
function entries(subject: Subject, path: string, value: Encoded): readonly [string, Encoded][] {
  if (value === undefined) return []
  const found = record(value)
  if (found) return Object.entries(found)
  wrong(subject, path, 'an object', value)
  return []
}

const idForm = /^[\w.-]+$/

function checkId(subject: Subject, path: string, id: string): boolean {
  if (idForm.test(id)) return true
  broken(subject, `\`${path}\` has an id that cannot be used.`, `Received '${id}'.`, 'Use letters, digits, `.`, `_` and `-`.')
  return false
}

function makeSecrets(subject: Subject, value: Encoded, base: string): NonNullable<BuildOptions['secrets']> {
  const made: Record<string, { readonly file: string } | { readonly env: string }> = {}
  for (const [id, item] of entries(subject, 'secrets', value)) {
    const path = `secrets.${id}`
    if (!checkId(subject, 'secrets', id)) continue
    if (!record(item)) {
      // never shown: it may be the secret itself
      const help = 'The value itself must not stand in the Devloopfile: put it into a file or the environment.'
      broken(subject, `\`${path}\` must be { file: path } or { env: name }.`, undefined, help)
      continue
    }
    const { file, env } = options(subject, path, item, { file: true, env: true })
    if ((file === undefined) === (env === undefined)) {
      // a slip in the option's name was told already
      if (subject.problems.excused(subject.at, `${path}.file`) || subject.problems.excused(subject.at, `${path}.env`)) continue
      broken(subject, `\`${path}\` needs either \`file\` or \`env\`.`, undefined, 'Give the one that holds the secret.')
      continue
    }
    const from = string(subject, `${path}.${file === undefined ? 'env' : 'file'}`, file ?? env)
    if (from === undefined) continue
    made[id] = file === undefined ? { env: from } : { file: resolve(base, from) }
  }
  return made
}

function makeSsh(subject: Subject, value: Encoded, base: string): NonNullable<BuildOptions['ssh']> {
  if (value === true) return { default: null }
  const made: Record<string, string | null> = {}
  if (value === undefined || value === false) return made
  if (!record(value)) {
    wrong(subject, 'ssh', 'true, or an object with the sockets of agents by id', value)
    return made
  }
  for (const [id, item] of entries(subject, 'ssh', value)) {
    if (!checkId(subject, 'ssh', id)) continue
    if (item === true) made[id] = null
    else if (typeof item === 'string' && item !== '') made[id] = resolve(base, item)
    else wrong(subject, `ssh.${id}`, "true, or the path of an ssh agent's socket", item ?? null)
  }
  return made
}

const platformForm = /^[a-z0-9]+\/[a-z0-9_]+(?:\/[a-z0-9.]+)?$/

function makePlatform(subject: Subject, value: Encoded): string | undefined {
  const platform = string(subject, 'platform', value)
  if (platform === undefined || platformForm.test(platform)) return platform
  const several = platform.includes(',')
  const meant = /^[a-z0-9]+$/.test(platform) ? `Did you mean 'linux/${platform}'?` : undefined
  return wrong(
    subject,
    'platform',
    "an operating system and an architecture, such as 'linux/arm64'",
    platform,
    several ? 'An image is built for one platform: that of the nodes it runs on.' : meant,
  )
}

function makeExtraHosts(subject: Subject, value: Encoded): NonNullable<BuildOptions['extraHosts']> {
  const made: Record<string, string> = {}
  for (const [host, item] of entries(subject, 'extraHosts', value)) {
    if (!/^[\w.-]+$/.test(host))
      broken(subject, '`extraHosts` has a name that is no host name.', `Received '${host}'.`, 'Correct it.')
    else if (typeof item === 'string' && (isIP(item) !== 0 || item === 'host-gateway')) made[host] = item
    else wrong(subject, `extraHosts.${host}`, "an IP address, or 'host-gateway'", item ?? null)
  }
  return made
}

function makeLabels(subject: Subject, value: Encoded): NonNullable<BuildOptions['labels']> {
  const made: Record<string, string> = {}
  for (const [key, item] of entries(subject, 'labels', value)) {
    if (key.startsWith('dev.devloop.')) {
      broken(subject, `the label '${key}' is one of devloop's own.`, undefined, 'Use another prefix than `dev.devloop.`.')
    } else if (typeof item === 'string') made[key] = item
    else wrong(subject, `labels.${key}`, 'a string', item ?? null)
  }
  return made
}

function makeTags(subject: Subject, value: Encoded): readonly string[] | undefined {
  const tags = strings(subject, 'tags', value)
  for (const tag of tags ?? []) {
    if (tag.startsWith('devloop-')) {
      broken(subject, `the tag '${tag}' is one of devloop's own.`, undefined, 'Use one that does not begin with `devloop-`.')
    } else if (!/^\w[\w.-]{0,127}$/.test(tag)) {
      const help = /[/:]/.test(tag) ? 'Give the tag alone: the repository is that of the image.' : undefined
      wrong(subject, 'tags', 'tags of letters, digits, `.`, `_` and `-` (at most 128)', tag, help)
    }
  }
  return tags
}
