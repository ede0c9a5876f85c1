// A line of log as an output channel shows it. Pure.
import { harmless, logWords, type LogEntry } from 'devloop/client'

/** `10:02:11.120 api │ text`; warnings and errors say so, so that the colours of log files fit. */
export function logText(entry: LogEntry): string {
  const { label, level, text } = logWords(entry)
  const time = new Date(entry.at)
  const clock = `${time.toTimeString().slice(0, 8)}.${String(time.getMilliseconds()).padStart(3, '0')}`
  return `${clock} ${level === 'info' ? '' : `[${level}] `}${harmless(label)} │ ${harmless(text)}`
}
