// Takes credentials out of what registries, engines and helpers say, before anybody reads it.
import type { RegistryAuth } from './auth.js'

/** Shorter values are words of their own too often. */
const shortest = 4
const hidden = '***'

/** The text without the secrets of these credentials, in the forms in which they travel. */
export function redact(text: string, auth: RegistryAuth | undefined): string {
  let clean = text.replaceAll(/\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}/gi, `$1 ${hidden}`)
  // a user and password in an address
  clean = clean.replaceAll(/(\w+:\/\/)[^/\s:@]+:[^/\s@]+@/g, `$1${hidden}@`)
  if (!auth) return clean
  const { username, password, identitytoken, registrytoken } = auth
  // the header first: the password in base64 may be a part of it
  const header =
    username !== undefined && password !== undefined ? [Buffer.from(`${username}:${password}`).toString('base64')] : []
  const secrets = [...header, password, identitytoken, registrytoken]
  for (const secret of secrets) {
    if (secret === undefined || secret.length < shortest) continue
    for (const form of [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64')])
      clean = clean.replaceAll(form, hidden)
  }
  return clean
}
