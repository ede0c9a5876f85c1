// How long a namespace that devloop made is kept without being used.
import type { SandboxSettings } from '../../../model/sandbox.js'

const hourMs = 3_600_000

/** When a namespace that is used now may be deleted, as RFC 3339 writes times; undefined = never. */
export const expiryOf = (settings: SandboxSettings | undefined, now: number): string | undefined =>
  settings?.ttl === undefined ? undefined : new Date(now + settings.ttl * hourMs).toISOString()

/** Milliseconds between two looks whether it is to be put off. */
export const renewalMs = ({ ttl = 0 }: SandboxSettings): number => Math.min(hourMs, (ttl * hourMs) / 8)

/** Whether what a namespace says is over, or so near that it should be put off. @param expires what it says */
export function isDue(expires: string | undefined, settings: SandboxSettings, now: number): boolean {
  const at = Date.parse(expires ?? '')
  return !(at - now > ((settings.ttl ?? 0) * hourMs * 3) / 4) || at - now > (settings.ttl ?? 0) * hourMs
}
