// Reading the views, for everything that renders them.
import { isDeepStrictEqual } from 'node:util'
import type { ErrorInfo } from '../../errors/devloop-error.js'
import type { ChangeView, ImageView, ResourceView, SessionView, View } from '../../protocol/messages.js'
import { errorText } from './error-text.js'

export type Views = ReadonlyMap<string, View>

export const sessionOf = (views: Views): SessionView | undefined => views.get('session/session') as SessionView | undefined

/** In the Devloopfile's order. */
export const resourcesOf = (views: Views): ResourceView[] =>
  [...views.values()].filter((view) => view.kind === 'resource').sort((a, b) => a.order - b.order)

/** By name. */
export const imagesOf = (views: Views): ImageView[] =>
  [...views.values()].filter((view) => view.kind === 'image').sort((a, b) => (a.name < b.name ? -1 : 1))

/** Whether nothing is to be done for it before somebody asks: it is disabled, or does not start by itself. */
export const isAtRest = ({ status, hold }: ResourceView): boolean => status === 'disabled' || hold?.code === 'auto'

/** Oldest first. */
export const changesOf = (views: Views): ChangeView[] =>
  [...views.values()].filter((view) => view.kind === 'change').sort((a, b) => a.at - b.at)

/** Something that is wrong now, and whom it concerns: names of resources, or `devloop` and `Devloopfile`. */
export interface Trouble {
  readonly level: 'error' | 'warning'
  readonly subjects: readonly string[]
  readonly error: ErrorInfo
}

/** Everything that is wrong now, each once; errors first. */
export function troublesOf(views: Views): Trouble[] {
  const session = sessionOf(views)
  const resources = resourcesOf(views)
  const all: { level: Trouble['level']; subject: string; error: ErrorInfo | undefined }[] = [
    { level: 'error', subject: 'Devloopfile', error: session?.devloopfile.error },
    { level: 'error', subject: 'devloop', error: session?.runtime.error },
    ...(session?.problems ?? []).map((error) => ({ level: 'error' as const, subject: 'devloop', error })),
    ...resources.map(({ name, error }) => ({ level: 'error' as const, subject: name, error })),
    ...resources.flatMap(({ name, endpoints }) =>
      endpoints.map(({ error }) => ({ level: 'error' as const, subject: name, error })),
    ),
    ...(session?.warnings ?? []).map((error) => ({ level: 'warning' as const, subject: 'devloop', error })),
    ...resources.flatMap(({ name, warnings }) => warnings.map((error) => ({ level: 'warning' as const, subject: name, error }))),
  ]
  const troubles: { level: Trouble['level']; subjects: string[]; error: ErrorInfo }[] = []
  for (const { level, subject, error } of all) {
    if (!error) continue
    const known = troubles.find((one) => isDeepStrictEqual(one.error, error))
    if (!known) troubles.push({ level, subjects: [subject], error })
    else if (!known.subjects.includes(subject)) known.subjects.push(subject)
  }
  return troubles
}

/** Such as `api, web: what went wrong [code]`, and the lines that belong to it. */
export const troubleText = ({ level, subjects, error }: Trouble): string =>
  `${subjects.join(', ')}: ${level === 'warning' ? 'warning: ' : ''}${errorText(error)}`
