// Image references as Docker reads them, taken apart so that a declared image can be found in a manifest.

export interface ImageReference {
  /** `docker.io` when the reference names none. */
  readonly registry: string
  /** Repository without the registry. Docker Hub's `library/` is left out, so that `postgres` and `docker.io/library/postgres` agree. */
  readonly repository: string
  readonly tag?: string
  /** `sha256:...` */
  readonly digest?: string
}

/** Take a reference apart. Nothing is checked: what is no valid reference just never equals a declared image. */
export function parseImageReference(text: string): ImageReference {
  const [named = '', digest] = split(text.trim(), text.indexOf('@') < 0 ? -1 : text.trim().indexOf('@'))
  const colon = named.lastIndexOf(':')
  const [name = '', tag] = split(named, colon > named.lastIndexOf('/') ? colon : -1)
  const slash = name.indexOf('/')
  const first = slash < 0 ? '' : name.slice(0, slash)
  const hasRegistry = first !== '' && (/[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase())
  const registry = hasRegistry ? first : 'docker.io'
  const path = hasRegistry ? name.slice(slash + 1) : name
  const onHub = registry === 'docker.io' || registry === 'index.docker.io'
  return {
    registry: onHub ? 'docker.io' : registry,
    repository: onHub && path.startsWith('library/') ? path.slice('library/'.length) : path,
    ...(tag ? { tag } : {}),
    ...(digest ? { digest } : {}),
  }
}

/** Whether a reference in a manifest names a declared image: same repository, whatever its registry, tag and digest. */
export const namesImage = (reference: string, image: string): boolean =>
  parseImageReference(reference).repository === parseImageReference(image).repository

const split = (text: string, at: number): readonly string[] => (at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)])
