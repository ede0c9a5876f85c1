// Data that stand in the page itself: it was saved as one file.
import { DevloopError } from '../errors/devloop-error.js'
import { frozenElementId, type FrozenPage } from '../protocol/frozen-page.js'
import type { PageSource } from './source.js'

/** Undefined = the page has none, and is to connect. */
export function readFrozen(): FrozenPage | undefined {
  const text = document.getElementById(frozenElementId)?.textContent
  return text ? (JSON.parse(text) as FrozenPage) : undefined
}

export function createFrozenSource({ at, version, views, logs }: FrozenPage): PageSource {
  const map = new Map(views.map((view) => [`${view.kind}/${view.name}`, view]))
  return {
    frozenAt: at,
    start(listener) {
      listener.connection()
      listener.views()
      listener.logs({ lines: logs, dropped: 0 })
    },
    connection: () => ({ state: 'frozen', access: 'read', daemon: { epoch: '', version } }),
    views: () => map,
    may: () => false,
    request: () => Promise.reject(new DevloopError('daemon/not-running', 'This page has no daemon behind it.')),
  }
}
