// What stands behind options, read and checked.
import { InvalidArgumentError } from 'commander'
import type { View } from '../../protocol/messages.js'

export const viewKinds = ['session', 'resource', 'image', 'change'] as const satisfies readonly View['kind'][]

/** A TCP port; 0 = any that is free. */
export function port(text: string): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value > 65_535) throw new InvalidArgumentError('A port is a number from 0 to 65535.')
  return value
}

/** A number of lines. */
export function count(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('It is a number of lines.')
  return Number(text)
}

/** A time such as `90s`, in milliseconds; without a unit, seconds. */
export function duration(text: string): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? []
  if (amount === undefined) throw new InvalidArgumentError('A time is a number with ms, s, m or h, such as 90s.')
  return Number(amount) * { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[(unit ?? 's') as 'ms' | 's' | 'm' | 'h']
}

/** Kinds of views, with commas. */
export function kinds(text: string): readonly View['kind'][] {
  return text.split(',').map((one) => {
    const kind = viewKinds.find((known) => known === one.trim())
    if (!kind) throw new InvalidArgumentError(`Kinds are ${viewKinds.join(', ')}.`)
    return kind
  })
}
