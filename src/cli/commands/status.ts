// `devloop status`: the state once, or when it is as wanted.
import { DevloopError } from '../../errors/devloop-error.js'
import type { ChangeView, ImageView, ResourceView, SessionView, View } from '../../protocol/messages.js'
import { withDaemon } from '../connect.js'
import { exitCodes } from '../exit.js'
import { changeRows } from '../render/change-rows.js'
import { imageRows } from '../render/image-rows.js'
import { linkRows } from '../render/link-rows.js'
import { resourceRows } from '../render/rows.js'
import { targetRows } from '../render/target-rows.js'
import { plainStyle, terminalStyle } from '../render/style.js'
import { troublesOf, troubleText } from '../../client/status/troubles.js'
import type { Views } from '../../client/status/views.js'
import { checkSelectors, selectedViews } from '../select-views.js'
import { waitUntil } from '../wait-until.js'

export interface StatusOptions {
  readonly file?: string
  /** Resources that are meant, as names or `label:NAME`; empty = all. */
  readonly only: readonly string[]
  readonly json?: boolean
  /** The newest changes with their stages, instead of the resources. */
  readonly changes?: boolean
  /** `ready`, or also that all that was saved up to now is live. */
  readonly wait?: 'ready' | 'live'
  readonly timeout: number
}

export interface StatusJson {
  readonly session: SessionView
  readonly resources: readonly ResourceView[]
  readonly images: readonly ImageView[]
  readonly changes: readonly ChangeView[]
}

export const status = (options: StatusOptions): Promise<number> =>
  withDaemon(options.file, ['state'], async (client) => {
    let code: number = exitCodes.ok
    const { only } = options
    if (options.wait) code = await waitUntil(client, { state: options.wait, only, timeoutMs: options.timeout })
    checkSelectors(client.views(), only)
    const views = selectedViews(client.views(), only)
    if (options.json) process.stdout.write(`${JSON.stringify(statusJson([...views.values()]), undefined, 2)}\n`)
    else process.stdout.write(options.changes ? changesText(views) : statusText(views))
    return code
  })

const ofKind = <K extends View['kind']>(views: readonly View[], kind: K): Extract<View, { kind: K }>[] =>
  views.filter((view): view is Extract<View, { kind: K }> => view.kind === kind)

function statusJson(views: readonly View[]): StatusJson {
  const session = ofKind(views, 'session')[0]
  if (!session) throw new DevloopError('protocol/invalid', 'the daemon told nothing of its session')
  return {
    session,
    resources: ofKind(views, 'resource').sort((a, b) => a.order - b.order),
    images: ofKind(views, 'image'),
    changes: ofKind(views, 'change'),
  }
}

function changesText(views: Views): string {
  const style = process.stdout.isTTY ? terminalStyle(process.env) : plainStyle
  const rows = changeRows(views, { style, columns: process.stdout.columns ?? Infinity })
  return rows.length === 0 ? 'nothing was saved yet\n' : `${rows.join('\n')}\n`
}

function statusText(views: Views): string {
  const style = process.stdout.isTTY ? terminalStyle(process.env) : plainStyle
  const rows = resourceRows(views, { style, columns: process.stdout.columns ?? Infinity, now: Date.now() })
  const targets = targetRows(views, { style, columns: process.stdout.columns ?? Infinity })
  const links = linkRows(views, { style, columns: process.stdout.columns ?? Infinity })
  const images = imageRows(views, { style, columns: process.stdout.columns ?? Infinity })
  const errors = troublesOf(views).flatMap((one) => ['', troubleText(one)])
  return `${[...rows, ...targets, ...links, ...images, ...errors].join('\n')}\n`
}
