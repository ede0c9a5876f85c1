// What a Dockerfile that is there says: the stage to develop with, its port, and which folders can be synced into it.
import { posix } from 'node:path'
import { parseDockerfile, type Instruction } from '../model/dockerfile.js'
import type { LiveLine } from './component.js'

export interface ExistingDockerfile {
  /** Stage for development, where there is one. */
  readonly target?: string
  /** The first port that it exposes. */
  readonly port?: number
  /** Empty where a change of a file must go through a build. */
  readonly live: readonly LiveLine[]
}

/** Kinds whose sources are what runs. */
const interpreted = new Set(['node', 'python', 'ruby', 'php', 'static'])
/** Kinds whose files are read anew by each request. */
const readsAnew = new Set(['php', 'static'])

/** @param kind of the component; undefined when nothing proves one */
export function readDockerfile(text: string, kind: string | undefined): ExistingDockerfile {
  const all = parseDockerfile(text)
  const stages = [...new Set(all.flatMap(({ stageName }) => stageName ?? []))]
  const target = stages.find((name) => /^(dev|development|local)$/i.test(name))
  const used = chain(all, target)
  const exposed = used.filter(({ keyword }) => keyword === 'EXPOSE').map(({ rest }) => Number(/^\s*(\d+)/.exec(rest)?.[1]))
  const port = exposed.findLast((number) => number > 0)
  return {
    ...(target === undefined ? {} : { target }),
    ...(port === undefined ? {} : { port }),
    live: kind !== undefined && interpreted.has(kind) ? liveOf(used, kind) : [],
  }
}

/** The instructions of a stage and of those that it is built on, in order. */
function chain(all: readonly Instruction[], target: string | undefined): readonly Instruction[] {
  let stage = target === undefined ? (all.at(-1)?.stage ?? 0) : (all.find(({ stageName }) => stageName === target)?.stage ?? 0)
  const found: Instruction[] = []
  for (;;) {
    const own = all.filter((instruction) => instruction.stage === stage)
    found.unshift(...own)
    const base = own[0]?.rest
      .replace(/^(--\S+\s+)+/, '')
      .split(/\s+/)[0]
      ?.toLowerCase()
    const above = all.findLast((one) => one.stage < stage && one.keyword === 'FROM' && one.stageName?.toLowerCase() === base)
    if (!above) return found
    stage = above.stage
  }
}

function liveOf(used: readonly Instruction[], kind: string): readonly LiveLine[] {
  if (
    used.some(
      ({ keyword, rest }) =>
        keyword === 'RUN' && /\b(run build|yarn build|tsc|vite build|next build|collectstatic|webpack)\b/.test(rest),
    )
  )
    return []
  let folder = '/'
  const syncs: LiveLine[] = []
  const installed: string[] = []
  for (const { keyword, rest } of used) {
    if (keyword === 'WORKDIR') folder = posix.resolve(folder, rest.trim())
    if ((keyword !== 'COPY' && keyword !== 'ADD') || /--from=/.test(rest) || /[$*?["]/.test(rest)) continue
    const words = rest.replace(/^(--\S+\s+)+/, '').split(/\s+/)
    const to = words.pop() ?? '.'
    for (const from of words.map((one) => posix.normalize(one).replace(/^\/+|\/+$/g, '') || '.')) {
      const isFolder = from === '.' || !posix.basename(from).includes('.')
      if (!isFolder || words.length > 1) installed.push(from)
      else syncs.push({ rule: 'sync', from, to: posix.resolve(folder, to) })
    }
  }
  const [sync] = syncs
  if (!sync) return []
  const command = used.findLast(({ keyword }) => keyword === 'CMD' || keyword === 'ENTRYPOINT')?.rest ?? ''
  const watches = /--reload|--watch|nodemon|\bdev\b|runserver|flask.*--debug|vite/.test(command)
  return [
    ...(installed.length > 0 ? [{ rule: 'rebuildOn', paths: installed } as const] : []),
    ...syncs,
    ...(watches || readsAnew.has(kind) ? [] : [{ rule: 'restart' } as const]),
  ]
}
