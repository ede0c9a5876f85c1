// Whether a reference in a manifest names a declared image.

/** Same repository, whatever registry, tag and digest the reference has. */
export function namesImage(reference: string, name: string): boolean {
  const untagged = reference
    .trim()
    .replace(/@.*$/, '')
    .replace(/:[^/:]*$/, '')
  const [first = '', ...rest] = untagged.split('/')
  const registry = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost')
  return (registry ? rest.join('/') : untagged).replace(/^library\//, '') === name
}
