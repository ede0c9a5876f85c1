// The colour of each tone on a terminal.
import type { Tone } from '../../client/status/tone.js'
import type { Style } from './style.js'

/** What paints text of this tone. */
export function tonePaint(tone: Tone, style: Style): (text: string) => string {
  switch (tone) {
    case 'good':
      return style.green
    case 'bad':
      return style.red
    case 'busy':
      return style.cyan
    case 'warn':
      return style.yellow
    case 'quiet':
      return style.dim
    case 'plain':
      return (text) => text
  }
}
