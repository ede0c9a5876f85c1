// `devloop status`: the state once, or when it is as wanted.
import type { DevloopClient } from '../../client/index.js'
import { DevloopError, isDevloopError } from '../../errors/devloop-error.js'
import type { ChangeView, ImageView, ResourceView, SessionView, View } from '../../protocol/messages.js'
import { withDaemon } from '../connect.js'
import { exitCodes } from '../exit.js'
import { changeRows } from '../render/change-rows.js'
import { errorText } from '../render/error-text.js'
import { imageRows } from '../render/image-rows.js'
import { linkRows } from '../render/link-rows.js'
import { resourceRows } from '../render/rows.js'
import { targetRows } from '../render/target-rows.js'
import { plainStyle, terminalStyle } from '../render/style.js'
import { isAtRest, sessionOf, troublesOf, troubleText, type Views } from '../render/views.js'
import { checkSelectors, selectedResources, selectedViews, unknownSelectors } from '../select-views.js'

export interface StatusOptions {
  readonly file?: string
  /** Resources that are meant, as names or `label:NAME`; empty = all. */
  readonly only: readonly string[]
  readonly json?: boolean
  /** The newest changes with their stages, instead of the resources. */
  readonly changes?: boolean
  readonly wait?: 'ready'
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
    if (options.wait === 'ready') code = await waitReady(client, only, options.timeout)
    checkSelectors(client.views(), only)
    const views = selectedViews(client.views(), only)
    if (options.json) process.stdout.write(`${JSON.stringify(statusJson([...views.values()]), undefined, 2)}\n`)
    else process.stdout.write(options.changes ? changesText(views) : statusText(views))
    return code
  })

/** Whether what is meant is ready; of a group, what starts by itself. */
function areReady(views: Views, only: readonly string[]): boolean | undefined {
  if (only.length === 0) return sessionOf(views)?.ready
  if (sessionOf(views)?.devloopfile.state === 'loading' || unknownSelectors(views, only).length > 0) return false
  return selectedResources(views, only).every((one) => one.ready || (isAtRest(one) && !only.includes(one.name)))
}

async function waitReady(client: DevloopClient, only: readonly string[], timeoutMs: number): Promise<number> {
  try {
    await client.waitFor((views) => areReady(views, only) || undefined, { timeoutMs })
    return exitCodes.ok
  } catch (thrown) {
    if (!isDevloopError(thrown) || thrown.code !== 'timeout') throw thrown
    checkSelectors(client.views(), only)
    const waiting = selectedResources(client.views(), only).filter(
      (one) => !one.ready && (!isAtRest(one) || only.includes(one.name)),
    )
    const names = waiting.map((one) => `${one.name} (${one.error?.message ?? one.hold?.message ?? one.activity ?? one.status})`)
    const error = new DevloopError(
      'timeout',
      `not ready after ${timeoutMs / 1000} s: ${names.join('; ') || 'no plan is in force'}`,
    )
    process.stderr.write(`devloop: ${errorText(error.info)}\n`)
    return exitCodes.failure
  }
}

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
