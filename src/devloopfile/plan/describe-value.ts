// A received value in words, for messages.
import { isMark, type Encoded } from '../declaration.js'
import { listed } from '../../errors/did-you-mean.js'

const short = (text: string): string => (text.length > 60 ? `${text.slice(0, 57)}...` : text)

/** Such as `'sync'`, `a number`, `an object with a and b`, `an app`. */
export function describeValue(value: Encoded): string {
  if (value === null) return 'null'
  if (typeof value === 'string') return `'${short(value)}'`
  if (typeof value !== 'object') return String(value)
  if (isMark(value)) {
    switch (value.$devloop) {
      case 'image':
        return 'an image'
      case 'resource':
        return 'a resource'
      case 'rule':
        return `a ${value.rule} rule`
      case 'text':
        return 'a text'
      case 'other':
        return value.what
    }
  }
  if (Array.isArray(value)) {
    if (value.length === 0) return 'an empty array'
    return value.every((item) => typeof item !== 'object')
      ? short(`[${value.map((item) => describeValue(item as Encoded)).join(', ')}]`)
      : `an array of ${value.length}`
  }
  const keys = Object.keys(value)
  return keys.length === 0 ? 'an empty object' : `an object with ${listed(keys.slice(0, 6))}${keys.length > 6 ? ' and more' : ''}`
}
