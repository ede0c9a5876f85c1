// `devloop list`: all daemons of this user.
import { homedir } from 'node:os'
import { toErrorInfo, type ErrorInfo } from '../../errors/devloop-error.js'
import type { Discovery, SessionView } from '../../protocol/messages.js'
import { askDaemon, runningDaemons } from '../daemons.js'
import { printJson } from '../print-json.js'
import { exitCodes } from '../exit.js'
import { harmless } from '../../client/status/harmless.js'
import { plainStyle, terminalStyle } from '../render/style.js'
import { overall } from '../../client/status/session-words.js'
import { isAtRest, resourcesOf, sessionOf } from '../../client/status/views.js'

/** One daemon, as `devloop list --json` prints it. Its token is not part of it. */
export interface ListedDaemon extends Pick<Discovery, 'project' | 'devloopfile' | 'pid' | 'startedAt' | 'version' | 'socket'> {
  /** Loopback address of the page, without the token. */
  readonly url?: string
  /** `silent`: it runs and does not answer, or speaks another version of the protocol; `error` says which. */
  readonly state: SessionView['phase'] | 'silent'
  readonly error?: ErrorInfo
  /** How it is in a few words, such as `failed: api`. Absent, as is all that follows, where it is silent. */
  readonly summary?: string
  readonly ready?: boolean
  readonly resources?: {
    /** Those that are enabled, and start by themselves or were started. */
    readonly count: number
    readonly ready: number
    readonly failed: number
  }
}

export async function list({ json }: { readonly json?: boolean }): Promise<number> {
  const { sweepStale } = await import('../../daemon/sweep.js')
  await sweepStale()
  const daemons = await Promise.all((await runningDaemons()).map(look))
  if (json) printJson({ daemons })
  else process.stdout.write(daemons.length === 0 ? 'devloop runs for no project\n' : table(daemons))
  return exitCodes.ok
}

async function look(discovery: Discovery): Promise<ListedDaemon> {
  const { project, devloopfile, pid, startedAt, version, socket, url } = discovery
  const known = { project, devloopfile, pid, startedAt, version, socket, ...(url === undefined ? {} : { url }) }
  try {
    return await askDaemon(discovery, async (client) => {
      const views = client.views()
      const session = sessionOf(views)
      const wanted = resourcesOf(views).filter((one) => !isAtRest(one))
      return {
        ...known,
        project: session?.project ?? project,
        state: session?.phase ?? 'running',
        summary: overall(views).text,
        ready: session?.ready ?? false,
        resources: {
          count: wanted.length,
          ready: wanted.filter((one) => one.ready).length,
          failed: wanted.filter(({ status }) => status === 'failed').length,
        },
      }
    })
  } catch (thrown) {
    return { ...known, state: 'silent', error: toErrorInfo(thrown) }
  }
}

function table(daemons: readonly ListedDaemon[]): string {
  const style = process.stdout.isTTY ? terminalStyle(process.env) : plainStyle
  const rows = daemons.map((one) =>
    [one.project, stateText(one), String(one.pid), one.url ?? '', short(one.devloopfile)].map(harmless),
  )
  const titles = ['PROJECT', 'STATE', 'PID', 'PAGE', 'DEVLOOPFILE']
  const widths = titles.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)))
  const text = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd()
  return `${[style.dim(text(titles)), ...rows.map(text)].join('\n')}\n`
}

function stateText({ state, error, summary, resources }: ListedDaemon): string {
  if (state === 'silent') return error?.code === 'protocol/version' ? 'another version' : 'does not answer'
  if (!resources) return state
  return resources.failed > 0 || resources.ready === resources.count
    ? (summary ?? state)
    : `${resources.ready} of ${resources.count} ready`
}

const short = (path: string): string => (path.startsWith(`${homedir()}/`) ? `~${path.slice(homedir().length)}` : path)
