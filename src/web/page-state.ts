// What the page shows, as signals. However often its source has news, they change at most once a frame.
import { batch, computed, signal, type ReadonlySignal, type Signal } from '@preact/signals'
import { isDevloopError, type ErrorInfo } from '../errors/devloop-error.js'
import type { Views } from '../client/status/views.js'
import type { Requests, View } from '../protocol/messages.js'
import { routeOf, type Route } from './address.js'
import { createLogBuffer, type LogBuffer } from './log-buffer.js'
import type { Connection, PageSource } from './source.js'

/** Something to be told once. */
export interface Notice {
  readonly id: number
  readonly text: string
  readonly error?: ErrorInfo
}

export interface PageState {
  readonly source: PageSource
  readonly views: ReadonlySignal<Views>
  readonly connection: ReadonlySignal<Connection>
  readonly logs: LogBuffer
  /** Changes when the buffer has. */
  readonly logNews: ReadonlySignal<number>
  /** Milliseconds since 1970: as exact as what is shown needs it. */
  readonly now: ReadonlySignal<number>
  readonly route: ReadonlySignal<Route>
  readonly notices: ReadonlySignal<readonly Notice[]>
  /** Requests under way, such as `trigger api`. */
  readonly asked: ReadonlySignal<ReadonlySet<string>>
  readonly isHelpOpen: Signal<boolean>
  /** Asks the daemon; what goes wrong becomes a notice. `key` keeps the same from being asked twice at once. */
  ask<M extends keyof Requests>(key: string, method: M, params: Requests[M]['params'], done: string): void
  may(method: keyof Requests): boolean
  say(text: string): void
  forget(notice: number): void
  clearLogs(): void
}

/** How long a notice that is no error is shown. Milliseconds. */
const noticeMs = 4_000

export function createPageState(source: PageSource): PageState {
  const views = signal<Views>(new Map())
  const connection = signal<Connection>(source.connection())
  const logs = createLogBuffer()
  const logNews = signal(0)
  const now = signal(source.frozenAt ?? Date.now())
  const route = signal<Route>(routeOf(location.hash))
  const notices = signal<readonly Notice[]>([])
  const asked = signal<ReadonlySet<string>>(new Set())
  let lastNotice = 0

  const dirty = { views: false, connection: false, logs: false }
  let scheduled = false
  function schedule(what: keyof typeof dirty): void {
    dirty[what] = true
    if (scheduled) return
    scheduled = true
    // a page that is not seen gets no frames, and its title shows the state nevertheless
    if (document.hidden) setTimeout(draw, 200)
    else requestAnimationFrame(draw)
  }

  function draw(): void {
    scheduled = false
    batch(() => {
      if (source.frozenAt === undefined) now.value = Date.now()
      if (dirty.views) views.value = new Map(source.views())
      if (dirty.connection) connection.value = source.connection()
      if (dirty.logs) logNews.value++
    })
    dirty.views = dirty.connection = dirty.logs = false
  }

  source.start({
    views: () => schedule('views'),
    connection: () => schedule('connection'),
    logs: ({ lines, dropped }) => {
      if (lines.length === 0 && dropped === 0) return
      logs.append(lines, dropped)
      schedule('logs')
    },
  })
  addEventListener('hashchange', () => (route.value = routeOf(location.hash)))
  document.addEventListener('visibilitychange', () => schedule('views'))

  if (source.frozenAt === undefined) {
    const isBusy = computed(() => connection.value.state === 'lost' || [...views.value.values()].some(counts))
    let ticks = 0
    setInterval(() => {
      // ages are told in whole minutes where nothing is under way
      if (!document.hidden && (isBusy.value || ++ticks % 15 === 0)) now.value = Date.now()
    }, 1000)
  }

  function forget(id: number): void {
    notices.value = notices.value.filter((one) => one.id !== id)
  }

  function notify(notice: Omit<Notice, 'id'>): void {
    const id = ++lastNotice
    notices.value = [...notices.value.slice(-3), { ...notice, id }]
    if (!notice.error) setTimeout(() => forget(id), noticeMs)
  }

  async function ask<M extends keyof Requests>(
    key: string,
    method: M,
    params: Requests[M]['params'],
    done: string,
  ): Promise<void> {
    if (asked.value.has(key)) return
    asked.value = new Set([...asked.value, key])
    try {
      await source.request(method, params)
      notify({ text: done })
    } catch (thrown) {
      const error: ErrorInfo = isDevloopError(thrown)
        ? thrown.info
        : { code: 'defect', message: thrown instanceof Error ? thrown.message : String(thrown), help: '' }
      notify({ text: error.message, error })
    } finally {
      asked.value = new Set([...asked.value].filter((one) => one !== key))
    }
  }

  return {
    source,
    views,
    connection,
    logs,
    logNews,
    now,
    route,
    notices,
    asked,
    isHelpOpen: signal(false),
    ask: (...args) => void ask(...args),
    // the connection is read so that whoever asks is drawn again when it changes
    may: (method) => connection.value.state === 'open' && source.may(method),
    say: (text) => notify({ text }),
    forget,
    clearLogs() {
      logs.clear()
      logNews.value++
    },
  }
}

/** Whether something is shown of it that grows by the second. */
const counts = (view: View): boolean =>
  (view.kind === 'change' && view.outcome === 'pending') || (view.kind === 'image' && view.state === 'building')
