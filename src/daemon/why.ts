// Which rules take a path, for each image, config, local and the Devloopfile.
import { basename, dirname, isAbsolute, relative } from 'node:path'
import { DevloopError, type ErrorInfo } from '../errors/devloop-error.js'
import type { ControlContext } from '../control/context.js'
import { compileGlobs } from '../model/globs.js'
import { describeNotice, isAlwaysIgnored } from '../model/live-rules.js'
import type { ConfigSpec, ImageSpec } from '../model/plan.js'
import type { State } from '../model/state.js'
import type { WhyAnswer, WhyResult } from '../protocol/messages.js'
import { targetsOf } from '../store/image-status.js'
import type { ImageFiles } from '../store/large.js'

const rebuilt = 'the image is built again and rolled out'

export function explainPath(context: ControlContext, path: string): WhyResult {
  if (!isAbsolute(path)) throw new DevloopError('protocol/invalid', `the path must be absolute: ${path}`)
  const { store, large } = context
  const { plan } = store.state()
  const answers: WhyAnswer[] = []
  for (const { root, matches } of large.planInputs) {
    const below = inside(root, path)
    if (below === undefined || !matches(below)) continue
    answers.push({
      subject: 'Devloopfile',
      action: 'reload',
      rule: 'the plan was made from it',
      effects: ['the Devloopfile is loaded again; only what changed is touched'],
    })
    break
  }
  for (const image of Object.values(plan?.images ?? {})) {
    const below = inside(image.context, path)
    const isDockerfile = 'path' in image.dockerfile && image.dockerfile.path === path
    if (isDockerfile)
      answers.push({
        subject: `image ${image.name}`,
        action: 'rebuild',
        rule: 'it is the Dockerfile',
        effects: [rebuilt],
      })
    else if (below) answers.push(explainImage(context, image, below))
  }
  for (const spec of Object.values(plan?.resources ?? {})) {
    if (spec.kind === 'config' && configReads(spec, path))
      answers.push({
        subject: `${spec.secret ? 'secret' : 'config'} ${spec.name}`,
        action: 'run',
        rule: 'its values are read from it',
        at: place(spec.at),
        effects: ['its values are read again; who uses one that is another then is rolled out'],
      })
    if (spec.kind !== 'local') continue
    const below = inside(spec.cwd, path)
    if (below === undefined || !compileGlobs(spec.watch)(below)) continue
    answers.push({
      subject: `local ${spec.name}`,
      action: 'run',
      rule: `watch: ${JSON.stringify(spec.watch)}`,
      at: place(spec.at),
      effects: [spec.run === undefined ? '`serve` is started again' : '`run` runs again'],
    })
  }
  return { path, answers }
}

const configReads = ({ sources }: ConfigSpec, path: string): boolean =>
  sources.some((source) => {
    if (source.kind === 'file' || source.kind === 'env-file') return source.path === path
    if (source.kind === 'folder') return dirname(path) === source.path && !basename(path).startsWith('.')
    const below = source.kind === 'command' ? inside(source.cwd, path) : undefined
    return source.kind === 'command' && below !== undefined && compileGlobs(source.watch)(below)
  })

function explainImage(context: ControlContext, image: ImageSpec, path: string): WhyAnswer {
  const { store, large } = context
  const subject = `image ${image.name}`
  const files = large.images.get(image.name)
  if (isAlwaysIgnored(path))
    return { subject, action: 'ignore', rule: 'devloop never takes such a file for a source', effects: [] }
  if (files?.ignored(path, false) && !files.rules.isBothWays(path, false))
    return { subject, action: 'ignore', rule: 'the .dockerignore file keeps it out of the context', effects: [] }
  const verdict = files?.rules.classify(path)
  if (!files || !verdict)
    return { subject, action: 'ignore', rule: 'the image is used by no resource that runs here', effects: [] }
  const at = verdict.rule ? { at: place(verdict.rule.at) } : {}
  if (verdict.action !== 'sync') {
    return {
      subject,
      action: verdict.action,
      rule: verdict.why,
      ...at,
      effects: verdict.action === 'rebuild' ? [rebuilt] : [],
    }
  }
  const state = store.state()
  const blocked = state.images[image.name]?.syncBlocked
  if (blocked)
    return {
      subject,
      action: 'rebuild',
      rule: `${verdict.why}, which live sync cannot follow`,
      ...at,
      effects: [`live sync cannot be used (${blocked.code}): ${wholeError(blocked)}`, rebuilt],
    }
  const { steps: due, restart, signals } = files.rules.triggers([path])
  const steps = due.map((index) => {
    const rule = image.live[index]
    if (rule?.kind === 'notify') return `then notifies the app: ${describeNotice(rule.how)}`
    return rule?.kind === 'run' ? `then runs ${typeof rule.command === 'string' ? rule.command : rule.command.join(' ')}` : ''
  })
  return {
    subject,
    action: 'sync',
    rule: verdict.why,
    ...at,
    effects: [
      ...verdict.to.map((to) => writtenTo(files, to, path)),
      ...steps,
      ...(restart ? ['then the process is restarted'] : signals.map((name) => `then the process gets ${name}`)),
      ...carriedBy(state, image.name),
      ...(heldAt(state, image.name, path) ?? []),
      ...comesBack(context, image.name, files, verdict.to),
    ],
  }
}

/** What keeps a path in containers that is gone with the whole folder it was in. */
function heldAt(state: State, image: string, path: string): string[] | undefined {
  const { held = [], error } = state.images[image]?.sources ?? {}
  if (!error || !held.some((folder) => folder === '' || path.startsWith(`${folder}/`))) return undefined
  return [`held now (${error.code}): ${wholeError(error)}`]
}

/** How files get into the containers of an image, or one built on it, and where that fails now. What is the same of many is told once. */
function carriedBy(state: State, image: string): string[] {
  const lines = targetsOf(state, image).flatMap(({ pod, container, transport, error }) => [
    ...(transport === undefined ? [] : [`carried by: ${transport}`]),
    ...(error ? [`fails now in ${pod}/${container} (${error.code}): ${wholeError(error)}`] : []),
  ])
  return [...new Set(lines)].slice(0, 20)
}

/** What comes back from the containers of an image, and what does not because both sides changed it. */
function comesBack({ store, large }: ControlContext, image: string, { rules }: ImageFiles, to: readonly string[]): string[] {
  const returning = to.filter((path) => rules.returnsTo(path) !== undefined)
  if (returning.length === 0) return []
  const lines = targetsOf(store.state(), image).flatMap(({ id, pod, container, returns }) => [
    ...(returns?.error ? [`does not come back from ${pod}/${container}: ${returns.error.message}`] : []),
    ...returning.flatMap((path) => {
      const conflict = large.conflicts.get(id)?.get(path)
      return conflict === undefined ? [] : [`in conflict with ${pod}/${container}: ${conflict}`]
    }),
  ])
  return [`what the container changes at ${returning.join(', ')} comes back`, ...new Set(lines)].slice(0, 20)
}

/** As one line: what went wrong, why, and what to do. */
const wholeError = ({ message, why, help }: ErrorInfo): string =>
  [message, why, help]
    .filter((one) => one !== undefined)
    .map((one) => one.trim().replaceAll('\n', ' '))
    .join(' ')

/** Where several files lead to one container path, only one of them is there. */
function writtenTo({ rules, tree }: ImageFiles, to: string, path: string): string {
  const winner = rules.isContested(to) ? rules.sourcesOf(to).find((source) => tree.has(source)) : undefined
  return winner === undefined || winner === path ? `written to ${to}` : `not written to ${to}: ${winner} is, by a later sync`
}

/** A path relative to a folder or file, '' = itself; undefined = not below. */
function inside(root: string, path: string): string | undefined {
  const below = relative(root, path)
  return below === '..' || below.startsWith('../') || isAbsolute(below) ? undefined : below
}

const place = ({ file, line }: { file: string; line: number }): string => `${file}:${line}`
