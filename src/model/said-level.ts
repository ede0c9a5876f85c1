// How bad a line of a program's output is by its own words, in the forms that logging libraries write.
import type { LogEntry } from './log-entry.js'

/** Further on in a line stands no level of its own. */
const most = 300
// oxlint-disable-next-line no-control-regex
const colours = /\x1b\[[\d;]*m/g
/** A field of JSON or of key=value pairs. The number is that of pino and bunyan. */
const field = /(?:"(?:level|severity|lvl|log\.level|levelname)"\s*:\s*|\b(?:level|severity|lvl)=)"?([A-Za-z]+|\d\d)\b/
/** After a time or the like: `ERROR ...`, `[warn] ...`, `Error: ...`. */
const word =
  /^[\d\s\-:.,TZ+/[\]()]{0,40}(?:\[?\b(ERROR|ERR|FATAL|CRITICAL|PANIC|SEVERE|WARN|WARNING)\b|\[(error|fatal|critical|warn|warning)\]|(error|fatal|panic|warning):)/
/** Kubernetes' own. */
const klog = /^([EFW])\d{4} \d\d:/

/** `info` where a line says nothing of it. */
export function saidLevel(line: string): LogEntry['level'] {
  const cut = line.length > most ? line.slice(0, most) : line
  const text = cut.includes('\x1b') ? cut.replace(colours, '') : cut
  const [, named] = field.exec(text) ?? []
  if (named !== undefined) return ofWord(named)
  const [, upper, inBrackets, before] = word.exec(text) ?? []
  const said = upper ?? inBrackets ?? before ?? klog.exec(text)?.[1]
  return said === undefined ? 'info' : ofWord(said)
}

function ofWord(said: string): LogEntry['level'] {
  if (/^\d/.test(said)) return Number(said) >= 50 ? 'error' : Number(said) >= 40 ? 'warn' : 'info'
  if (/^(?:e$|f$|err|fatal|crit|alert|emerg|panic|severe)/i.test(said)) return 'error'
  return /^w(?:$|arn)/i.test(said) ? 'warn' : 'info'
}
