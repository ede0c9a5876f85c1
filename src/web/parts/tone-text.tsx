// A few words in the colour of their tone; the words themselves say what the colour says.
import type { Tone, Toned } from '../../client/status/tone.js'

export function ToneText({ text, tone, class: name = '' }: Toned & { readonly class?: string }) {
  return text === '' ? null : <span class={`tone-${tone} ${name}`}>{text}</span>
}

/** A dot; what it says stands beside it in words. */
export const Dot = ({ tone }: { readonly tone: Tone }) => <span class={`dot tone-${tone}`} aria-hidden="true" />
