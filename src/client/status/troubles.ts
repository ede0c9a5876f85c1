// Everything that is wrong now.
import type { ErrorInfo } from '../../errors/devloop-error.js'
import { errorText } from './error-text.js'
import { resourcesOf, sessionOf, type Views } from './views.js'

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
  const known = new Map<string, (typeof troubles)[number]>()
  for (const { level, subject, error } of all) {
    if (!error) continue
    const key = identity(error)
    const same = known.get(key)
    if (same && !same.subjects.includes(subject)) same.subjects.push(subject)
    if (same) continue
    const trouble = { level, subjects: [subject], error }
    known.set(key, trouble)
    troubles.push(trouble)
  }
  return troubles
}

/** Such as `api, web: what went wrong [code]`, and the lines that belong to it. */
export const troubleText = ({ level, subjects, error }: Trouble): string =>
  `${subjects.join(', ')}: ${level === 'warning' ? 'warning: ' : ''}${errorText(error)}`

/** The same for errors that say the same. */
const identity = ({ code, message, why, help, where }: ErrorInfo): string =>
  JSON.stringify([code, message, why, help, where?.file, where?.line, where?.column])
