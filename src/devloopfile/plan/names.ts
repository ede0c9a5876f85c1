// How messages call images and resources.
import type { Encoded } from '../declaration.js'

/** `app 'db'`, and `app` where the name is not even a string. */
export const called = (kind: string, name: Encoded): string => (typeof name === 'string' ? `${kind} '${name}'` : kind)
