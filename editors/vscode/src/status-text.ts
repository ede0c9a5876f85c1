// What the status bar says of one project. Pure.
import { countWords, dayWords, harmless, overall, placeWords, resourcesOf, sessionOf, troublesOf } from 'devloop/client'
import type { ErrorInfo, Tone, Views } from 'devloop/client'

/** `off`: the daemon does not run, or cannot be reached. */
export type Connection = { readonly running: boolean; readonly error: ErrorInfo | undefined }

export interface StatusText {
  /** With icons in VS Code's notation. */
  readonly text: string
  /** Lines of plain text. */
  readonly tooltip: readonly string[]
  readonly tone: Tone | 'off'
}

const longest = 48

/** Text from elsewhere, so that nothing of it is taken for an icon. */
export const withoutIcons = (text: string): string => harmless(text).replaceAll('$(', '\\$(')

const icons: Readonly<Record<Tone, string>> = {
  good: 'pass',
  bad: 'error',
  busy: 'sync~spin',
  warn: 'warning',
  quiet: 'circle-outline',
  plain: 'circle-outline',
}

/** @param label stands before the words where there are several projects */
export function statusText(views: Views, { running, error }: Connection, label: string | undefined): StatusText {
  const named = (text: string): string => `${label === undefined ? '' : `${withoutIcons(label)}: `}${text}`
  const session = sessionOf(views)
  if (!running || !session) {
    const why =
      !error || error.code === 'daemon/not-running' ? ['devloop does not run for this project.'] : [error.message, error.help]
    return { text: `$(debug-disconnect) ${named('devloop')}`, tooltip: why.map(harmless), tone: 'off' }
  }
  const { text, tone } = overall(views)
  const said = harmless(text.split('\n')[0] ?? '')
  const short = said.length > longest ? `${said.slice(0, longest - 1)}…` : said
  return {
    text: `$(${said.startsWith('live in ') ? 'zap' : icons[tone]}) ${named(said === 'ready' ? 'devloop' : withoutIcons(short))}`,
    tooltip: [
      `${session.project} on ${placeWords(session)}: ${countWords(session, resourcesOf(views)).join(', ')}`,
      ...(said === short ? [] : [said]),
      ...troublesOf(views)
        .slice(0, 5)
        .map(
          ({ subjects, level, error: { message } }) =>
            `${subjects.join(', ')}: ${level === 'warning' ? 'warning: ' : ''}${message}`,
        ),
      ...[dayWords(session)].filter((words) => words !== ''),
    ].map(harmless),
    tone,
  }
}
