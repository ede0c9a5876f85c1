// What a changed file of an image leads to, by its live rules, and which names are never sources at all.
import { compileGlobs } from './globs.js'
import type { ImageSpec, LiveRule, NoticeSpec, ReloadSignal } from './plan.js'

export interface Verdict {
  readonly action: 'ignore' | 'rebuild' | 'sync'
  /** The rule that decided; the first of them for `sync`; undefined where no rule covers the path, or no rule is needed. */
  readonly rule?: LiveRule
  /** One clause that names the rule, for people. */
  readonly why: string
  /**
   * Container paths of every sync that covers the path, each once, in the order of the rules; empty unless `sync`. Another file may
   * lead there too: see `CompiledLiveRules.sourcesOf`.
   */
  readonly to: readonly string[]
}

export interface Triggers {
  /** Indexes, in `image.live`, of the `run` and `notify` rules to carry out, in order. */
  readonly steps: readonly number[]
  /** Whether the process is replaced. */
  readonly restart: boolean
  /** What it gets instead, when it is not. */
  readonly signals: readonly ReloadSignal[]
}

export interface CompiledLiveRules {
  /** What a change of this path (relative to the context) leads to. */
  classify(path: string): Verdict
  /**
   * The paths of the context that syncs lead to a container path, whether there are such files or not. Of several files the one that
   * stands first here is the one that the container holds: that of the last rule, as with COPY in a Dockerfile.
   */
  sourcesOf(containerPath: string): readonly string[]
  /** Whether more than one path of the context may lead to a container path. */
  isContested(containerPath: string): boolean
  /** What to do after these paths were synced. Paths that are not synced count for nothing. */
  triggers(paths: Iterable<string>): Triggers
  /** Whether an `ignore` rule leaves the path out of watching; for a folder, with everything below it. */
  ignores(path: string, isDirectory: boolean): boolean
  /** The path of the context that a container path comes back to; undefined = nothing of it does. */
  returnsTo(containerPath: string): string | undefined
  /** Whether a path is synced both ways, so that it is watched though .dockerignore may name it; for a folder, something in it. */
  isBothWays(path: string, isDirectory: boolean): boolean
}

/** Compile an image's live rules once. Pure: the same paths give the same answers. */
export function compileLiveRules(image: Pick<ImageSpec, 'live' | 'pulled'>): CompiledLiveRules {
  const first: { rule: LiveRule; action: 'ignore' | 'rebuild'; matches: (path: string) => boolean }[] = []
  const syncs: SyncRule[] = []
  const steps: { index: number; matches: (path: string) => boolean }[] = []
  const restarts: { signal: ReloadSignal | undefined; matches: (path: string) => boolean }[] = []
  for (const [index, rule] of image.live.entries()) {
    if (rule.kind === 'sync') syncs.push({ rule, ...chosen(rule, syncPaths(rule.from, rule.to)) })
    else if (rule.kind === 'run' || rule.kind === 'notify') steps.push({ index, matches: onPaths(rule.on) })
    else if (rule.kind === 'restart') restarts.push({ signal: rule.signal, matches: onPaths(rule.on) })
    else first.push({ rule, action: rule.kind === 'ignore' ? 'ignore' : 'rebuild', matches: compileGlobs(rule.patterns) })
  }

  const classify = (path: string): Verdict => {
    if (isAlwaysIgnored(path)) return { action: 'ignore', why: 'devloop never takes such a file for a source', to: [] }
    const decided = first.find((one) => one.matches(path))
    if (decided) return { action: decided.action, rule: decided.rule, why: describeRule(decided.rule), to: [] }
    const to: string[] = []
    let rule: LiveRule | undefined
    for (const sync of syncs) {
      const target = sync.target(path)
      if (target === undefined) continue
      rule ??= sync.rule
      if (!to.includes(target)) to.push(target)
    }
    if (!rule && image.pulled) return { action: 'ignore', why: 'no sync covers it, and the image is only pulled', to: [] }
    return rule
      ? { action: 'sync', rule, why: describeRule(rule), to }
      : { action: 'rebuild', why: 'no live rule covers it', to: [] }
  }

  const sourcesOf = (containerPath: string): readonly string[] => {
    const found = new Set<string>()
    for (const { sources } of syncs.toReversed()) {
      for (const source of sources(containerPath)) if (classify(source).to.includes(containerPath)) found.add(source)
    }
    return [...found]
  }
  const returning = syncs.filter(({ rule }) => rule.bothWays).toReversed()
  // few images have rules that meet: theirs alone pay for the search
  const meeting = syncs.filter(
    (one) => one.into || syncs.some((other) => other !== one && (isWithin(one.to, other.to) || isWithin(other.to, one.to))),
  )

  return {
    classify,
    sourcesOf,
    isContested: (containerPath) => meeting.some(({ to }) => isWithin(containerPath, to)) && sourcesOf(containerPath).length > 1,
    triggers(paths) {
      const due = new Set<number>()
      const signals = new Set<ReloadSignal | undefined>()
      for (const path of paths) {
        if (classify(path).action !== 'sync') continue
        for (const step of steps) if (!due.has(step.index) && step.matches(path)) due.add(step.index)
        for (const { signal, matches } of restarts) if (!signals.has(signal) && matches(path)) signals.add(signal)
      }
      return {
        steps: [...due].sort((a, b) => a - b),
        restart: signals.has(undefined),
        signals: [...signals].filter((signal) => signal !== undefined),
      }
    },
    returnsTo(containerPath) {
      for (const sync of returning)
        for (const source of sync.sources(containerPath))
          if (sync.target(source) === containerPath && classify(source).action === 'sync') return source
      return undefined
    },
    isBothWays: (path, isDirectory) =>
      returning.some(({ rule, target }) =>
        isDirectory ? isWithin(rule.from, path) || rule.from === '' || isWithin(path, rule.from) : target(path) !== undefined,
      ),
    ignores(path, isDirectory) {
      if (path === '') return false
      const decided = first.find((one) => one.matches(path))
      if (decided?.action !== 'ignore') return false
      // below an ignored folder, a rebuildOn that stands before the ignore may still want something
      return !isDirectory || !first.slice(0, first.indexOf(decided)).some((one) => one.action === 'rebuild')
    },
  }
}

/** No patterns = every synced path. */
const onPaths = (patterns: readonly string[]): ((path: string) => boolean) =>
  patterns.length === 0 ? () => true : compileGlobs(patterns)

/** A sync without what its own patterns leave out. */
function chosen(rule: Extract<LiveRule, { kind: 'sync' }>, paths: SyncPaths): SyncPaths {
  if (!rule.include && !rule.exclude) return paths
  const included = rule.include ? compileGlobs(rule.include) : () => true
  const excluded = rule.exclude ? compileGlobs(rule.exclude) : () => false
  return { ...paths, target: (path) => (included(path) && !excluded(path) ? paths.target(path) : undefined) }
}

type SyncPaths = Omit<SyncRule, 'rule'>

interface SyncRule {
  readonly rule: Extract<LiveRule, { kind: 'sync' }>
  /** The container path that it leads to, or below. */
  readonly to: string
  /** Whether a file goes into `to`, and not to it. */
  readonly into: boolean
  /** Where it puts a path of the context; undefined = it does not cover it. */
  target(path: string): string | undefined
  /** What it would put at a container path. */
  sources(containerPath: string): readonly string[]
}

/** Where a sync begins: a path relative to the context, '' = the whole of it. */
const syncSource = (from: string): string =>
  from
    .replace(/^(?:\.?\/+)+/, '')
    .replace(/\/+$/, '')
    .replace(/^\.$/, '')

/** The context ('') and what syncs begin at in it, each once, outer ones first: what is there may be a folder or a single file. */
export const syncSources = ({ live }: Pick<ImageSpec, 'live'>): readonly string[] => [
  ...new Set(['', ...live.flatMap((rule) => (rule.kind === 'sync' ? [syncSource(rule.from)] : [])).sort()]),
]

/** A file goes to `to`, or into it when `to` ends in a slash; what is in a folder goes below `to`. */
function syncPaths(from: string, to: string): SyncPaths {
  const source = syncSource(from)
  const into = to.endsWith('/') && source !== ''
  const folder = to.replace(/\/+$/, '')
  const file = into ? `${folder}/${source.slice(source.lastIndexOf('/') + 1)}` : folder
  return {
    to: folder,
    into,
    target(path) {
      if (path === '') return undefined
      if (source === '') return `${folder}/${path}`
      if (path === source) return file
      return path.startsWith(`${source}/`) ? `${folder}${path.slice(source.length)}` : undefined
    },
    sources: (containerPath) => [
      ...(source !== '' && containerPath === file ? [source] : []),
      ...(containerPath.startsWith(`${folder}/`)
        ? [source === '' ? containerPath.slice(folder.length + 1) : `${source}${containerPath.slice(folder.length)}`]
        : []),
    ],
  }
}

/** Whether a path is a folder, or in it. '' = the root. */
const isWithin = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`)

/** A rule as the Devloopfile would write it, shortened. */
export function describeRule(rule: LiveRule): string {
  const text = (value: unknown): string => JSON.stringify(value)
  switch (rule.kind) {
    case 'sync':
      return `sync(${text(rule.from)}, ${text(rule.to)}${
        rule.bothWays
          ? `, { from: "container"${rule.include || rule.exclude ? ', ...' : ''} }`
          : rule.include || rule.exclude
            ? ', ...'
            : ''
      })`
    case 'run':
      return `run(${text(rule.command)})`
    case 'notify':
      return `notify(${describeNotice(rule.how)})`
    case 'restart': {
      const parts = [
        ...(rule.on.length === 0 ? [] : [`on: ${text(rule.on)}`]),
        ...(rule.signal === undefined ? [] : [`signal: ${text(rule.signal)}`]),
      ]
      return parts.length === 0 ? 'restart()' : `restart({ ${parts.join(', ')} })`
    }
    case 'rebuildOn':
    case 'ignore':
      return `${rule.kind}(${rule.patterns.map(text).join(', ')})`
  }
}

/** How an app is notified, for people: `SIGHUP`, or `POST :3000/reload`. */
export const describeNotice = (how: NoticeSpec): string =>
  how.kind === 'signal' ? how.signal : `${how.method} :${how.port}${how.path}`

/** Whether an image's rules replace the main process, so that the container must be able to. */
export const replacesProcess = (image: Pick<ImageSpec, 'live'> | undefined): boolean =>
  image?.live.some((rule) => rule.kind === 'restart' && rule.signal === undefined) ?? false

/** Whether an image's rules write into its containers. */
export const isSynced = (image: Pick<ImageSpec, 'live'> | undefined): boolean =>
  image?.live.some((rule) => rule.kind === 'sync') ?? false

/** Folders (or single files) of the container that come back, by an image's rules. */
export const bothWaysRoots = (image: Pick<ImageSpec, 'live'>): string[] =>
  image.live.flatMap((rule) => (rule.kind === 'sync' && rule.bothWays ? [rule.to] : []))

/** Where a sync puts a path of the context; undefined = it does not cover it. Its patterns are not asked. */
export const syncTarget = ({ from, to }: { readonly from: string; readonly to: string }, path: string): string | undefined =>
  syncPaths(from, to).target(path)

/** Folders of version control, whatever is in them. In a git worktree or submodule, `.git` is a file. */
const versionControl = new Set(['.git', '.hg', '.svn', '.jj'])

/**
 * Names that only editors, file managers and devloop itself make, for a moment or beside a file:
 * vim's `.x.swp` and `4913`, backups `x~`, emacs' locks `.#x` and autosaves `#x#`, JetBrains' `___jb_tmp___`, kate's, gedit's.
 */
const notSources =
  /^(?:\..*\.sw[a-z]|4913|.*~|\.#.*|#.*#|.*___jb_(?:tmp|old)___|\..*\.kate-swp|\.goutputstream-.*|\.DS_Store|\.devloop-.*)$/s

/**
 * Whether a path (relative, with `/`) is never a source: not watched, not hashed, not sent to a build, whatever .dockerignore says.
 * A path below such a folder is none either.
 *
 * These are few on purpose. `.git` changes with every commit and Docker would send it all; the others come and go while an editor
 * saves, and taking them for sources would rebuild an image for nothing. `node_modules` and build output are not among them:
 * they belong to the context exactly when .dockerignore does not name them, so that what is watched is what Docker would build from.
 * A build that needs the commit id must be given it as an argument.
 *
 * @param isDirectory folders are only left out by version control's names and devloop's own, never by an editor's
 */
export function isAlwaysIgnored(path: string, isDirectory = false): boolean {
  for (let start = 0; ;) {
    const slash = path.indexOf('/', start)
    const name = slash < 0 ? path.slice(start) : path.slice(start, slash)
    if (versionControl.has(name) || name.startsWith('.devloop-')) return true
    if (slash < 0) return !isDirectory && notSources.test(name)
    start = slash + 1
  }
}
