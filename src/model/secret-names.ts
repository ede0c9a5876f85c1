// What looks secret, by its name or its form. Pure.

const secretWords = new Set([
  'password',
  'passwd',
  'pass',
  'pwd',
  'passphrase',
  'secret',
  'secrets',
  'token',
  'tokens',
  'key',
  'apikey',
  'credential',
  'credentials',
])

/** Words that say that a key is none to be hidden. */
const openWords = new Set(['public', 'publishable', 'name', 'id', 'prefix', 'file', 'path', 'url', 'length', 'expiry', 'ttl'])

/**
 * Whether a variable looks as if its value were secret: by a word of its name (`DB_PASSWORD`, `apiKey`, `GITHUB_TOKEN`), unless another
 * says that it is not (`PUBLIC_KEY`, `KEY_PREFIX`, `TOKEN_URL`); or because the value is an address with a password in it.
 */
export function looksSecret(name: string, value?: string): boolean {
  const words = name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
  if (value !== undefined && /^[a-z][-+.a-z0-9]*:\/\/[^/?#\s:@]*:[^/?#\s@]+@/i.test(value)) return true
  return words.some((word) => secretWords.has(word)) && !words.some((word) => openWords.has(word))
}
