// Live rules: their paths are relative to the image's context and stay inside it, and a trigger must be covered by a sync.
import { access } from 'node:fs/promises'
import { isAbsolute, join, posix, relative } from 'node:path'
import { compileGlobs } from '../../model/globs.js'
import { syncTarget } from '../../model/live-rules.js'
import type { LiveRule } from '../../model/plan.js'
import type { RestartOptions, RunOptions, SyncOptions } from '../api/types.js'
import { isMark, type Encoded, type Mark } from '../declaration.js'
import { listed } from '../../errors/did-you-mean.js'
import { describeValue } from './describe-value.js'
import { makeNotice, makeSignal } from './make-notice.js'
import { broken, command, options, strings, wrong, type Subject } from './fields.js'
import type { PlanWork } from './work.js'

type DeclaredRule = Extract<Mark, { $devloop: 'rule' }>
type Sync = Extract<LiveRule, { kind: 'sync' }>

interface Places {
  readonly context: string
  /** Folder of the file that the call of `image` stands in. */
  readonly base: string
}

const syncKnown: Record<keyof SyncOptions, true> = { include: true, exclude: true, from: true }
const runKnown: Record<keyof RunOptions, true> = { on: true, timeout: true, cancelOnChange: true, user: true }
const restartKnown: Record<keyof RestartOptions, true> = { on: true, signal: true }

export async function makeLiveRules(
  work: PlanWork,
  image: Subject,
  value: Encoded,
  places: Places,
): Promise<readonly LiveRule[]> {
  if (value === undefined) return []
  if (!Array.isArray(value)) {
    wrong(image, 'live', 'an array of live rules', value)
    return []
  }
  const rules: LiveRule[] = []
  for (const [index, item] of (value as readonly Encoded[]).entries()) {
    if (!isMark(item) || item.$devloop !== 'rule') {
      const what = 'a live rule: sync, run, notify, restart, rebuildOn or ignore'
      wrong(image, `live[${index}]`, what, item ?? null, 'Write for instance sync(...) there.')
      continue
    }
    const subject: Subject = { name: `${item.rule} of ${image.name}`, at: item.at, problems: work.problems }
    const rule = item.rule === 'sync' ? await makeSync(subject, item, places) : makeOther(subject, item)
    if (rule) rules.push(rule)
  }
  // A rule that was refused may be the one that covers a trigger.
  if (rules.length === value.length) checkTriggers(work, image, rules)
  checkBothWays(work, image, rules)
  return rules
}

async function makeSync(
  subject: Subject,
  { args: [from, to, more], at }: DeclaredRule,
  { context, base }: Places,
): Promise<LiveRule | undefined> {
  if (typeof from !== 'string' || from === '') return wrong(subject, 'from', 'a path, relative to the context', from ?? null)
  if (from.includes('*')) {
    const folder =
      from
        .slice(0, from.indexOf('*'))
        .replace(/[^/]*$/, '')
        .replace(/\/$/, '') || '.'
    return broken(
      subject,
      'it takes a file or folder, and no pattern.',
      `Received '${from}'.`,
      /\/\*\*(?:\/\*)?$/.test(from)
        ? `Use sync('${folder}', ...), with \`exclude\` or ignore(...) for what it must leave out.`
        : `Use sync('${folder}', ..., { include: '${from}' }).`,
    )
  }
  const path = insidePath(subject, from, context)
  if (path === undefined) return undefined
  if (typeof to !== 'string' || to === '') return wrong(subject, 'to', 'an absolute path in the container', to ?? null)
  if (!to.startsWith('/') || to.split('/').includes('..')) {
    const meant = posix.join('/', to)
    return wrong(
      subject,
      'to',
      'an absolute path in the container',
      to,
      to.startsWith('/') ? 'Write it without `..`.' : `For instance '${meant}', or below the image's WORKDIR.`,
    )
  }
  // The usual slip: a path as seen from the Devloopfile.
  const within = relative(context, join(base, path))
  if (
    path !== '' &&
    !within.startsWith('..') &&
    within !== path &&
    !(await exists(join(context, path))) &&
    (await exists(join(base, path)))
  ) {
    return broken(
      subject,
      `there is no '${path}' in the context.`,
      `The context is ${context}.`,
      `Did you mean '${within || '.'}'? Live rules are relative to the context.`,
    )
  }
  const given = options(subject, 'options', more, syncKnown)
  const include = given.include === undefined ? undefined : makePatterns(subject, 'include', given.include)
  const exclude = given.exclude === undefined ? undefined : makePatterns(subject, 'exclude', given.exclude)
  if (include?.length === 0)
    return broken(
      subject,
      'its `include` names nothing, so that it would never copy a file.',
      undefined,
      'Remove it, or name a pattern.',
    )
  if (given.from !== undefined && given.from !== 'container')
    return wrong(subject, 'from', "'container'", given.from, 'Leave it out for a sync that brings nothing back.')
  const bothWays = given.from === 'container'
  if (bothWays && to.endsWith('/') && path !== '')
    return broken(
      subject,
      'a path that comes back must be the whole one, without a slash at its end.',
      `Received '${to}'.`,
      `Write '${to.replace(/\/+$/, '')}' for a folder, or '${to.replace(/\/+$/, '')}/${posix.basename(path)}' for a file.`,
    )
  if (bothWays && posix.normalize(to) === '/')
    return broken(subject, 'the root folder of a container cannot come back.', undefined, 'Name the folders in it that shall.')
  return {
    kind: 'sync',
    from: path,
    to,
    ...(include ? { include } : {}),
    ...(exclude && exclude.length > 0 ? { exclude } : {}),
    ...(bothWays ? { bothWays } : {}),
    at,
  }
}

/** What comes back must have one place to come back to: where the folders of two syncs meet, both must put the same files there. */
function checkBothWays(work: PlanWork, image: Subject, rules: readonly LiveRule[]): void {
  const syncs = rules.filter((rule): rule is Sync => rule.kind === 'sync')
  const folder = ({ to }: Sync): string => posix.join(to, '.').replace(/\/+$/, '')
  const within = (path: string, above: string): boolean => path === above || path.startsWith(`${above}/`)
  for (const rule of syncs.filter(({ bothWays }) => bothWays)) {
    for (const other of syncs) {
      if (other === rule) continue
      const [mine, its] = [folder(rule), folder(other)]
      const inner = within(mine, its) ? rule : within(its, mine) ? other : undefined
      if (!inner) continue
      const probe = inner.from === '' ? 'x' : `${inner.from}/x`
      if (syncTarget(rule, probe) === syncTarget(other, probe)) continue
      work.problems.add('devloopfile/invalid', {
        message: `sync of ${image.name}: ${describeValue(rule.to)} comes back, but ${describeValue(other.from || '.')} is synced into the same folder.`,
        why: 'So it cannot be told to which file of the context a file of the container belongs.',
        at: rule.at,
        help: 'Let one of the two lead to another folder.',
      })
    }
  }
}

const exists = async (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )

function makeOther(subject: Subject, { rule, args, at }: DeclaredRule): LiveRule | undefined {
  if (rule === 'notify') {
    const made = makeNotice(subject, args[0])
    const on = makePatterns(subject, 'on', made.on)
    const { how, timeoutMs } = made
    return on && how && timeoutMs !== undefined ? { kind: 'notify', how, on, timeoutMs, at } : undefined
  }
  if (rule === 'run') {
    const given = options(subject, 'options', args[1], runKnown)
    const what =
      args[0] === undefined
        ? wrong(subject, 'command', 'a command: a string, or an array of strings', null)
        : command(subject, 'command', args[0])
    const on = makePatterns(subject, 'on', given.on)
    const seconds = given.timeout ?? 300
    if (typeof seconds !== 'number' || !(seconds > 0) || seconds > 86_400)
      return wrong(subject, 'timeout', 'a number of seconds above 0', seconds)
    const { cancelOnChange } = given
    if (cancelOnChange !== undefined && typeof cancelOnChange !== 'boolean')
      return wrong(subject, 'cancelOnChange', 'true or false', cancelOnChange)
    const { user } = given
    if (user !== undefined && !(isUserName(user) || isUserNumber(user)))
      return wrong(subject, 'user', "a user's name such as 'node', or number", user)
    if (what === undefined || !on) return undefined
    const as = user === undefined ? {} : { user: String(user) }
    const cancels = cancelOnChange ? ({ cancelOnChange } as const) : {}
    return { kind: 'run', command: what, on, timeoutMs: Math.round(seconds * 1_000), ...as, ...cancels, at }
  }
  if (rule === 'restart') {
    const given = options(subject, 'options', args[0], restartKnown)
    const on = makePatterns(subject, 'on', given.on)
    if (given.signal === undefined) return on && { kind: 'restart', on, at }
    const signal = makeSignal(subject, given.signal)
    return on && signal && { kind: 'restart', on, signal, at }
  }
  if (rule === 'sync') return undefined
  const patterns = makePatterns(subject, 'patterns', args.flat() as Encoded)
  if (patterns?.length === 0) return broken(subject, 'it names no file.', undefined, `Write for instance ${rule}('Dockerfile').`)
  return patterns && { kind: rule, patterns, at }
}

const isUserName = (value: Encoded): value is string => typeof value === 'string' && /^[\w.][\w.-]*\$?$/.test(value)
const isUserNumber = (value: Encoded): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 0xffff_ffff

function makePatterns(subject: Subject, path: string, value: Encoded): readonly string[] | undefined {
  const patterns = value === undefined ? [] : strings(subject, path, value)
  const checked = patterns?.map((pattern) => insidePath(subject, pattern, undefined))
  return checked?.includes(undefined) ? undefined : (checked as readonly string[] | undefined)
}

/** A path or pattern as the plan has it: without `./` before and `/` behind; '' is the whole context. */
function insidePath(subject: Subject, path: string, context: string | undefined): string | undefined {
  const help = 'Live rules are relative to the context of the image and stay inside it.'
  if (path.startsWith('!')) {
    return broken(
      subject,
      'a pattern cannot begin with `!`.',
      `Received '${path}'.`,
      'Name what is meant, or use ignore(...) for what is not.',
    )
  }
  if (isAbsolute(path)) {
    const within = context === undefined ? '..' : relative(context, path)
    return broken(
      subject,
      'the path must not be absolute.',
      `Received '${path}'.`,
      within.startsWith('..') ? help : `Use '${within || '.'}'. ${help}`,
    )
  }
  const normal = posix.normalize(path).replace(/\/+$/, '')
  if (normal === '..' || normal.startsWith('../'))
    return broken(subject, 'the path leads out of the context.', `Received '${path}'.`, help)
  return normal === '.' ? '' : normal
}

/** A trigger that no sync covers would never fire: its changes rebuild. */
function checkTriggers(work: PlanWork, image: Subject, rules: readonly LiveRule[]): void {
  const syncs = rules.filter((rule): rule is Sync => rule.kind === 'sync')
  for (const rule of rules) {
    if (rule.kind !== 'run' && rule.kind !== 'notify' && rule.kind !== 'restart') continue
    const name = `${rule.kind} of ${image.name}`
    if (syncs.length === 0) {
      const message = `${name}: the image has no sync, so that it would never ${rule.kind}.`
      work.problems.add('devloopfile/invalid', {
        message,
        at: rule.at,
        help: `Add a sync, or remove the ${rule.kind}: a rebuild starts the container anew anyway.`,
      })
      continue
    }
    for (const pattern of rule.on) {
      if (syncs.some(({ from }) => reaches(pattern, from))) continue
      work.problems.add('devloopfile/invalid', {
        message: `${name}: no sync covers '${pattern}', so that a change of it rebuilds instead.`,
        why: `Synced: ${listed(syncs.map(({ from }) => describeValue(from || '.')))}.`,
        at: rule.at,
        help: `Add sync('${pattern.includes('*') ? pattern.replace(/\/?[^/]*\*.*$/, '') || '.' : pattern}', ...), or correct the path.`,
      })
    }
  }
}

/** Whether a pattern can match a path that lies in `from`, or is it. */
function reaches(pattern: string, from: string): boolean {
  // braces may hold slashes, which cannot be taken apart by segments
  if (/[{(]/.test(pattern)) return true
  const meets = (parts: readonly string[], names: readonly string[]): boolean => {
    const [part, ...rest] = parts
    const [name, ...below] = names
    if (part === undefined || name === undefined) return true
    if (part === '**') return meets(rest, names) || meets(parts, below)
    return compileGlobs([part])(name) && meets(rest, below)
  }
  return meets(split(pattern), split(from))
}

const split = (path: string): readonly string[] => (path === '' ? [] : path.split('/'))
