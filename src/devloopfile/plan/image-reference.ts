// Whether a reference in a manifest names a declared image.

/** Same repository, whatever registry, tag and digest the reference has. */
export const namesImage = (reference: string, name: string): boolean =>
  repositoryOf(
    reference
      .trim()
      .replace(/@.*$/, '')
      .replace(/:[^/:]*$/, ''),
  ) === repositoryOf(name)

/** Without the registry's host, and without what Docker Hub's own images are filed under. */
function repositoryOf(name: string): string {
  const [first = '', ...rest] = name.split('/')
  const registry = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost')
  return (registry ? rest.join('/') : name).replace(/^library\//, '')
}
