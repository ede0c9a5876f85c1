// `devloop status`: the state once, or when it is as wanted.
import type { DevloopClient } from '../../client/index.js'
import { DevloopError, isDevloopError } from '../../errors/devloop-error.js'
import type { ChangeView, ImageView, ResourceView, SessionView, View } from '../../protocol/messages.js'
import { withDaemon } from '../connect.js'
import { exitCodes } from '../exit.js'
import { errorText } from '../render/error-text.js'
import { imageRows } from '../render/image-rows.js'
import { resourceRows } from '../render/rows.js'
import { plainStyle, terminalStyle } from '../render/style.js'
import { isAtRest, resourcesOf, sessionOf, troublesOf, troubleText, type Views } from '../render/views.js'

export interface StatusOptions {
  readonly file?: string
  readonly json?: boolean
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
    if (options.wait === 'ready') code = await waitReady(client, options.timeout)
    if (options.json) process.stdout.write(`${JSON.stringify(statusJson([...client.views().values()]), undefined, 2)}\n`)
    else process.stdout.write(statusText(client.views()))
    return code
  })

async function waitReady(client: DevloopClient, timeoutMs: number): Promise<number> {
  try {
    await client.waitFor((views) => sessionOf(views)?.ready, { timeoutMs })
    return exitCodes.ok
  } catch (thrown) {
    if (!isDevloopError(thrown) || thrown.code !== 'timeout') throw thrown
    const waiting = resourcesOf(client.views()).filter((one) => !one.ready && !isAtRest(one))
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

function statusText(views: Views): string {
  const style = process.stdout.isTTY ? terminalStyle(process.env) : plainStyle
  const rows = resourceRows(views, { style, columns: process.stdout.columns ?? Infinity, now: Date.now() })
  const images = imageRows(views, { style, columns: process.stdout.columns ?? Infinity })
  const errors = troublesOf(views).flatMap((one) => ['', troubleText(one)])
  return `${[...rows, ...images, ...errors].join('\n')}\n`
}
