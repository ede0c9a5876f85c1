// `watch`: globs below the working folder of a command.
import { isAbsolute, posix } from 'node:path'
import type { Encoded } from '../declaration.js'
import { broken, strings, type Subject } from './fields.js'

export function makeWatch(subject: Subject, value: Encoded): readonly string[] {
  return (strings(subject, 'watch', value) ?? []).flatMap((pattern) => {
    const normal = posix.normalize(pattern).replace(/\/+$/, '')
    const help = 'Globs of `watch` are relative to `cwd` and stay inside it.'
    if (pattern.startsWith('!'))
      broken(subject, 'a pattern of `watch` cannot begin with `!`.', `Received '${pattern}'.`, 'Name what is meant.')
    else if (isAbsolute(pattern)) broken(subject, 'a pattern of `watch` must not be absolute.', `Received '${pattern}'.`, help)
    else if (normal === '..' || normal.startsWith('../'))
      broken(subject, 'a pattern of `watch` leads out of `cwd`.', `Received '${pattern}'.`, help)
    else return [normal]
    return []
  })
}
