// Takes secret values out of texts that people, logs and clients see.

export interface SecretMask {
  /** Values to take out from now on, by what they are called in their place. */
  add(secrets: Readonly<Record<string, string>>): void
  /** The text with `[secret NAME]` instead of each value, plain or in base64. */
  text(text: string): string
  /** Counts additions: what was masked before may hold what is known to be secret now. */
  readonly version: number
}

/** Shorter values are left: they are found in ordinary words too, and their absence would tell them. */
const shortest = 5
/** A line of a value of several lines is taken out alone when it is this long, and no frame such as that of a PEM file. */
const shortestLine = 16
/** Words that are nobody's secret, although they stand in many Secrets. */
const ordinary = new Set(['false', 'default', 'localhost', '127.0.0.1'])

/** Creates a mask that knows no secrets. */
export function createSecretMask(): SecretMask {
  const names = new Map<string, string>()
  let pattern: RegExp | undefined
  let version = 0
  return {
    add(secrets) {
      const before = names.size
      for (const [name, value] of Object.entries(secrets))
        for (const form of formsOf(value)) if (!names.has(form)) names.set(form, name)
      if (names.size === before) return
      // the longest first: one value may hold another
      const forms = [...names.keys()].sort((a, b) => b.length - a.length)
      pattern = new RegExp(forms.map((form) => form.replaceAll(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`)).join('|'), 'g')
      version++
    },
    text: (text) => (pattern ? text.replace(pattern, (form) => `[secret ${names.get(form) ?? ''}]`) : text),
    get version() {
      return version
    },
  }
}

function formsOf(value: string): readonly string[] {
  const trimmed = value.trim()
  if (trimmed.length < shortest || ordinary.has(trimmed)) return []
  const lines = trimmed.includes('\n')
    ? trimmed
        .split('\n')
        .map((line) => line.trim())
        .filter((line) => line.length >= shortestLine && !line.startsWith('-----'))
    : []
  const base64 = [value, trimmed].map((one) => Buffer.from(one).toString('base64').replace(/=+$/, ''))
  return [trimmed, ...lines, ...base64]
}
