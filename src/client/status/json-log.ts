// A line of log that is a JSON object, as programs with structured logs write it, made readable.

export interface JsonLog {
  readonly level: 'info' | 'warn' | 'error' | undefined
  /** `LEVEL message key=value ...`, one line. */
  readonly text: string
}

const levelKeys = ['level', 'severity', 'lvl', 'log.level', 'levelname']
const messageKeys = ['msg', 'message', 'event', 'text']
/** The time of the line is known already. */
const timeKeys = new Set(['time', 'timestamp', 'ts', '@timestamp', 'datetime', 'date'])
/** Levels as numbers, as pino and bunyan write them. */
const numbers: Readonly<Record<number, string>> = { 10: 'trace', 20: 'debug', 30: 'info', 40: 'warn', 50: 'error', 60: 'fatal' }

/** Undefined for a line that is no JSON object, or has neither level nor message. */
export function readJsonLog(line: string): JsonLog | undefined {
  const text = line.trim()
  if (!text.startsWith('{') || !text.endsWith('}')) return undefined
  let fields: Record<string, unknown>
  try {
    fields = JSON.parse(text) as Record<string, unknown>
  } catch {
    return undefined
  }
  const levelKey = levelKeys.find((key) => typeof fields[key] === 'string' || typeof fields[key] === 'number')
  const messageKey = messageKeys.find((key) => typeof fields[key] === 'string')
  if (levelKey === undefined && messageKey === undefined) return undefined
  const given = levelKey === undefined ? undefined : fields[levelKey]
  const level = typeof given === 'number' ? (numbers[given] ?? String(given)) : (given as string | undefined)
  const rest = Object.entries(fields)
    .filter(([key]) => key !== levelKey && key !== messageKey && !timeKeys.has(key))
    .map(([key, value]) => `${key}=${show(value)}`)
  const parts = [level?.toUpperCase(), messageKey === undefined ? undefined : (fields[messageKey] as string), ...rest]
  return {
    level: kindOf(level),
    text: parts
      .filter((part) => part !== undefined && part !== '')
      .join(' ')
      .replaceAll('\n', ' ⏎ '),
  }
}

/** A value in one piece: quoted only where it would not be seen to be one. */
function show(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value)
  return value === '' || /[\s"=]/.test(value) ? JSON.stringify(value) : value
}

function kindOf(level: string | undefined): JsonLog['level'] {
  if (level === undefined) return undefined
  if (/^(?:err|fatal|crit|alert|emerg|panic|severe)/i.test(level)) return 'error'
  return /^warn/i.test(level) ? 'warn' : 'info'
}
