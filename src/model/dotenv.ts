// Env files as Compose reads them: `.env` and those of `env_file`.
import { interpolate, type Variables } from './variables.js'

export interface DotenvOptions {
  /** Values of variables that the file itself has not set before. */
  readonly get: (name: string) => string | undefined
  /** Values are taken as they stand: no quotes, no variables. */
  readonly raw?: boolean
  /** @param line from 1 */
  readonly fail: (message: string, help: string, line: number) => never
}

/**
 * Names and values in their order; undefined for a name without `=`, which takes its value from the environment.
 * Single quotes keep a value as it is, double quotes know `\n` and variables, a `#` after a space begins a comment, quoted values may
 * have several lines.
 */
export function parseDotenv(text: string, options: DotenvOptions): Map<string, string | undefined> {
  const values = new Map<string, string | undefined>()
  const source = text.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n')
  let at = 0
  while (at < source.length) {
    const line = source.slice(0, at).split('\n').length
    const end = lineEnd(source, at)
    const found = /^[ \t]*(?:export[ \t]+)?([^\s=:#]+)[ \t]*(=|:[ \t]|$)[ \t]*/.exec(source.slice(at, end))
    if (/^\s*(?:#|$)/.test(source.slice(at, end))) {
      at = end + 1
      continue
    }
    if (!found) return options.fail('This line is no NAME=VALUE.', 'Write NAME=VALUE.', line)
    const [head, name = '', separator] = found
    if (separator === '') {
      values.set(name, options.get(name))
      at = end + 1
      continue
    }
    const start = at + head.length
    const quote = source[start]
    if (!options.raw && (quote === '"' || quote === "'")) {
      const close = closingQuote(source, start + 1, quote)
      if (close < 0) return options.fail(`The value of ${name} has no closing ${quote}.`, `Close it with ${quote}.`, line)
      const inside = source.slice(start + 1, close)
      values.set(name, quote === "'" ? inside : replaced(unescape(inside)))
      at = lineEnd(source, close) + 1
    } else {
      const value = source.slice(start, end)
      values.set(name, options.raw ? value : replaced(value.replace(/(?:^|\s)#.*$/, '').trim()))
      at = end + 1
    }

    function replaced(value: string): string {
      const variables: Variables = {
        get: (wanted) => (values.has(wanted) ? values.get(wanted) : options.get(wanted)),
        unset: () => {},
        // which may be secret
        what: `The value of ${name}`,
        fail: (message, help) => options.fail(message, help, line),
      }
      return value.includes('$') ? interpolate(value, variables) : value
    }
  }
  return values
}

function lineEnd(text: string, at: number): number {
  const end = text.indexOf('\n', at)
  return end < 0 ? text.length : end
}

function closingQuote(text: string, from: number, quote: string): number {
  for (let at = from; at < text.length; at++) {
    if (text[at] === '\\' && quote === '"') at += 1
    else if (text[at] === quote) return at
  }
  return -1
}

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '"': '"', '\\': '\\', $: '$$' }

const unescape = (text: string): string => text.replace(/\\(.)/gs, (whole, char: string) => escapes[char] ?? whole)
