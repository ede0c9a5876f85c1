// Images: a declared one becomes the specification in the plan.
import { stat } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import type { ImageSpec } from '../../model/plan.js'
import type { ImageOptions } from '../api/types.js'
import type { DeclaredImage, Encoded } from '../declaration.js'
import { broken, options, record, string, wrong, type Subject } from './fields.js'
import { makeArgs, makeBases } from './make-bases.js'
import { makeBuildOptions } from './make-build-options.js'
import { makeCustomBuild } from './make-custom-build.js'
import { makeLiveRules } from './make-live-rules.js'
import { checkPulledRules, makePulled } from './make-pulled.js'
import { called } from './names.js'
import type { PlanWork } from './work.js'

const known: Record<keyof ImageOptions, true> = {
  context: true,
  dockerfile: true,
  target: true,
  args: true,
  bases: true,
  secrets: true,
  ssh: true,
  platform: true,
  network: true,
  extraHosts: true,
  cacheFrom: true,
  pull: true,
  labels: true,
  tags: true,
  build: true,
  from: true,
  initialSync: true,
  live: true,
}

const repository = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/

const host = /^[A-Za-z0-9]+(?:[.-][A-Za-z0-9]+)*(?::\d{1,5})?$/

export async function makeImage(work: PlanWork, image: DeclaredImage): Promise<ImageSpec | undefined> {
  const subject: Subject = { name: called('image', image.name), at: image.at, problems: work.problems }
  const given = options(subject, '', image.options, known)
  const name = makeName(subject, image.name)
  const base = dirname(image.at.file)
  const context = resolve(base, string(subject, 'context', given.context) ?? '.')
  const target = string(subject, 'target', given.target)
  const { args, baseArgs } = makeArgs(work, subject, 'args', given.args)
  const declared = makeBases(work, subject, given.bases)
  const build = makeCustomBuild(work, subject, given, { context, base })
  const buildOptions = makeBuildOptions(subject, given, base)
  const folder = await checkContext(work, subject, context, base)
  const pulled = makePulled(subject, given)
  const dockerfile =
    build || given.from !== undefined
      ? { inline: '' }
      : await makeDockerfile(work, subject, given.dockerfile, { context, base, check: folder })
  const live = await makeLiveRules(work, subject, given.live, { context, base })
  if (pulled) checkPulledRules(subject, live)
  if (name === undefined || !dockerfile) return undefined
  const allArgs = { ...baseArgs, ...build?.baseArgs }
  const bases = [...new Set([...declared, ...Object.values(allArgs)])]
  return {
    name,
    context,
    dockerfile,
    ...(target === undefined ? {} : { target }),
    args,
    ...(Object.keys(allArgs).length === 0 ? {} : { baseArgs: allArgs }),
    ...(bases.length === 0 ? {} : { bases }),
    ...(Object.keys(buildOptions).length === 0 ? {} : { options: buildOptions }),
    ...(build ? { build: build.spec } : {}),
    ...(pulled ? { pulled } : {}),
    live,
    at: image.at,
  }
}

function makeName(subject: Subject, value: Encoded): string | undefined {
  const name = string(subject, 'name', value, 'required')
  if (name === undefined) return undefined
  const [first = '', ...rest] = name.split('/')
  const registry = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost') ? first : ''
  const path = registry === '' ? name : rest.join('/')
  if (/[:@]/.test(path)) {
    return broken(
      subject,
      'the name must not hold a tag or digest.',
      `Received '${name}'.`,
      `Use '${name.slice(0, name.length - path.length) + path.replace(/[:@].*/, '')}'; devloop makes a tag from the content.`,
    )
  }
  if (repository.test(path) && (registry === '' || host.test(registry))) return name
  const valid = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9/._-]+/g, '-')
    .replaceAll(/^[-._/]+|[-._/]+$/g, '')
  const help = repository.test(valid)
    ? `For instance '${valid}'.`
    : 'Use lower-case letters and digits, with `.`, `_`, `-` and `/` between them.'
  return broken(subject, 'the name is no valid image repository.', `Received '${name}'.`, help)
}

export async function checkContext(work: PlanWork, subject: Subject, context: string, base: string): Promise<boolean> {
  const found = await stat(context).catch(() => undefined)
  if (found?.isDirectory()) return true
  const shown = relative(base, context) || '.'
  // Mended by a folder with anything in it: what is watched are files.
  work.globs.push({ base: context, pattern: '*' })
  work.problems.add('devloopfile/file', {
    message: found
      ? `${subject.name}: the context '${shown}' is no folder.`
      : `${subject.name}: there is no folder '${shown}' for the context.`,
    why: `It was looked for at ${context}.`,
    at: subject.at,
    help: 'Correct `context`: it is relative to the file that this call stands in.',
  })
  return false
}

interface Places {
  readonly context: string
  /** Folder of the file that the call stands in. */
  readonly base: string
  /** Whether the file must be there. */
  readonly check: boolean
}

async function makeDockerfile(
  work: PlanWork,
  subject: Subject,
  value: Encoded,
  { context, base, check }: Places,
): Promise<ImageSpec['dockerfile'] | undefined> {
  if (record(value)) {
    const { inline } = options(subject, 'dockerfile', value, { inline: true })
    const text = string(subject, 'dockerfile.inline', inline, 'required')
    return text === undefined ? undefined : { inline: text }
  }
  if (value !== undefined && typeof value !== 'string') return wrong(subject, 'dockerfile', 'a path, or { inline: text }', value)
  const path = value === undefined ? join(context, 'Dockerfile') : resolve(base, value)
  if (!check || (await isFile(path))) return { path }
  work.files.add(path)
  const inContext = value !== undefined && (await isFile(resolve(context, value)))
  const meant = inContext ? relative(base, resolve(context, value)) : undefined
  work.problems.add('devloopfile/file', {
    message: `${subject.name}: there is no Dockerfile at '${relative(base, path)}'.`,
    why: value === undefined ? 'Without `dockerfile`, it is Dockerfile in the context.' : `It was looked for at ${path}.`,
    at: subject.at,
    help: meant
      ? `Did you mean '${meant}'? The path is relative to the file that this call stands in.`
      : 'Create it, or name it with `dockerfile`.',
  })
  return undefined
}

const isFile = async (path: string): Promise<boolean> => (await stat(path).catch(() => undefined))?.isFile() ?? false
