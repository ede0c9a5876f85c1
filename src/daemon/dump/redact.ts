// Takes secrets out of what is to be sent to somebody: the values that are known, and what looks like one.

/** A function of a text that gives it without secrets. */
export type Redact = (text: string) => string

export const hidden = '[hidden]'

/** What names of secrets are made of. */
const words = String.raw`pass(?:word|wd|phrase)?|secret|token|api[-_]?key|(?:access|private|client|signing|encryption)[-_]?key|credentials?|authorization`
const secretName = new RegExp(words, 'i')
/** Such names that are of a place, and not of what is there. */
const placeName = /(?:sock|_?file|_?path|_?dir|_?folder|_?name|_?url|_?id|pull-?secret)$/i

/** Whether what goes by this name is likely a secret. */
export const isSecretName = (name: string): boolean => secretName.test(name) && !placeName.test(name)

const patterns: readonly (readonly [RegExp, string])[] = [
  // PEM files, whole or cut off
  [/-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----[^]*?(?:-----END \1-----|$)/g, hidden],
  [/\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}/gi, `$1 ${hidden}`],
  // a user and password in an address
  [/(\b[a-z][a-z0-9+.-]*:\/\/)[^/\s:@"'`]*:[^/\s@"'`]+@/gi, `$1${hidden}@`],
  // JSON Web Tokens, and tokens that begin with whose they are
  [/\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*/g, hidden],
  [
    /\b(?:gh[pousr]_|github_pat_|glpat-|npm_|xox[abprs]-|sk-|sk_live_|AIza|AKIA|ASIA|dckr_pat_|sha256~)[A-Za-z0-9_-]{12,}/g,
    hidden,
  ],
]
const quoted = new RegExp(`((?:${words})[\\w-]*["'\`]?\\s*[:=]\\s*)(["'\`])((?:\\\\[^]|(?!\\2)[^\\\\])*)\\2`, 'gi')
const plain = new RegExp(`((?:${words})[\\w-]*\\s*[:=]\\s*)(?!["'\`\\[(])[^\\s"'\`,;&})\\]]{3,}`, 'gi')
const base64Fields = /((?:client-key-data|\.dockerconfigjson)["']?\s*:\s*["']?)[A-Za-z0-9+/=]{16,}/g

const comments = /\/\/.*$|\/\*[^]*?\*\//gm

function redactKnownForms(text: string): string {
  let clean = text.replace(base64Fields, `$1${hidden}`)
  for (const [pattern, by] of patterns) clean = clean.replace(pattern, by)
  return clean.replace(quoted, (_, before: string, quote: string) => `${before}${quote}${hidden}${quote}`)
}

/** Any text. */
export const redactText = (text: string): string => redactKnownForms(text).replace(plain, `$1${hidden}`)

/** The text of a program: what stands in quotes or in a comment by a secret name is taken out, its code stays. */
export const redactCode = (text: string): string => redactKnownForms(text).replace(comments, redactText)

/** Every text in a value that is JSON, names of fields included. What stands after an option such as `--token` is a secret too. */
export function redactValue(value: unknown, redact: Redact): unknown {
  if (typeof value === 'string') return redact(value)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    return value.map((item: unknown, index) => {
      const before: unknown = value[index - 1]
      const isOption = typeof before === 'string' && /^--?[\w-]+$/.test(before) && isSecretName(before)
      return isOption && typeof item === 'string' && !item.startsWith('-') ? hidden : redactValue(item, redact)
    })
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      redact(name),
      typeof item === 'string' && isSecretName(name) ? hidden : redactValue(item, redact),
    ]),
  )
}
