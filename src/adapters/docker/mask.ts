// Hides the values of secrets in what a build prints.

/** Shorter ones are left: hiding them would tear up ordinary words. */
const shortest = 5

/**
 * Replaces secrets, also those written as base64, by `***`. A secret of several lines is hidden line by line.
 * @param secrets their bytes
 */
export function createMask(secrets: Iterable<Buffer>): (text: string) => string {
  const hidden = new Set<string>()
  for (const secret of secrets) {
    const text = secret.toString('utf8')
    for (const form of [text.trim(), ...text.split('\n').map((line) => line.trim())]) {
      if (form.length >= shortest) hidden.add(form)
    }
    if (text.trim().length < shortest) continue
    for (const bytes of [secret, Buffer.from(text.trim(), 'utf8')]) hidden.add(bytes.toString('base64').replace(/=+$/, ''))
  }
  // the longest first, so that none leaves a part of another
  const forms = [...hidden].sort((a, b) => b.length - a.length)
  if (forms.length === 0) return (text) => text
  return (text) => forms.reduce((masked, form) => masked.replaceAll(form, '***'), text)
}
