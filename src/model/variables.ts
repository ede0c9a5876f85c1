// `$NAME` and `${NAME...}` in the texts of Compose files and env files.

export interface Variables {
  /** Undefined = it is not set. */
  readonly get: (name: string) => string | undefined
  /** It is not set and has no default: it stands for nothing. */
  readonly unset: (name: string) => void
  /** `${NAME:?message}` of one that is not set, or a form that there is not. */
  readonly fail: (message: string, help: string) => never
  /** What errors call the text; undefined = they show it. */
  readonly what?: string
}

const name = /^[A-Za-z_][A-Za-z0-9_]*/

/** The text with every variable replaced; `$$` is a `$`. @throws what `fail` throws */
export function interpolate(text: string, variables: Variables): string {
  let result = ''
  let rest = text
  for (;;) {
    const at = rest.indexOf('$')
    if (at < 0) return result + rest
    result += rest.slice(0, at)
    rest = rest.slice(at + 1)
    if (rest.startsWith('$')) {
      result += '$'
      rest = rest.slice(1)
    } else if (rest.startsWith('{')) {
      const end = closing(rest)
      if (end < 0) return invalid(text, variables)
      result += braced(rest.slice(1, end), text, variables)
      rest = rest.slice(end + 1)
    } else {
      const [found] = name.exec(rest) ?? []
      if (found === undefined) return invalid(text, variables)
      result += valueOf(found, variables)
      rest = rest.slice(found.length)
    }
  }
}

/** Where the brace that a text begins with is closed. */
function closing(text: string): number {
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    if (text.startsWith('${', at)) depth += 1
    else if (at === 0) depth = 1
    else if (text[at] === '}' && (depth -= 1) === 0) return at
  }
  return -1
}

function braced(inside: string, text: string, variables: Variables): string {
  const [found] = name.exec(inside) ?? []
  if (found === undefined) return invalid(text, variables)
  const rest = inside.slice(found.length)
  if (rest === '') return valueOf(found, variables)
  const [, colon, operator, word = ''] = /^(:?)([-?+])(.*)$/s.exec(rest) ?? []
  if (operator === undefined) return invalid(text, variables)
  const value = variables.get(found)
  const has = value !== undefined && (colon === '' || value !== '')
  if (operator === '+') return has ? interpolate(word, variables) : ''
  if (has) return value
  if (operator === '-') return interpolate(word, variables)
  const reason = interpolate(word, variables)
  return variables.fail(
    `The variable ${found} ${value === undefined ? 'is not set' : 'is empty'}${reason === '' ? '.' : `: ${reason}`}`,
    `Set ${found} in the environment of devloop or in .env.`,
  )
}

function valueOf(variable: string, variables: Variables): string {
  const value = variables.get(variable)
  if (value === undefined) variables.unset(variable)
  return value ?? ''
}

const invalid = (text: string, { fail, what = `'${text.length > 60 ? `${text.slice(0, 57)}...` : text}'` }: Variables): never =>
  fail(`${what} names no variable behind a $.`, 'Write $$ for a plain $.')
