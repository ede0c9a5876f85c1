// Reading the views, for everything that renders them.
import type { ChangeView, ResourceView, SessionView, View } from '../../protocol/messages.js'

export type Views = ReadonlyMap<string, View>

export const sessionOf = (views: Views): SessionView | undefined => views.get('session/session') as SessionView | undefined

/** In the Devloopfile's order. */
export const resourcesOf = (views: Views): ResourceView[] =>
  [...views.values()].filter((view) => view.kind === 'resource').sort((a, b) => a.order - b.order)

/** Oldest first. */
export const changesOf = (views: Views): ChangeView[] => [...views.values()].filter((view) => view.kind === 'change').sort((a, b) => a.at - b.at)
