// Secret texts of a Devloopfile, kept apart from the plan: that is part of the state, which is written down when devloop crashes.
import { createHmac, randomBytes } from 'node:crypto'
import type { SealedTexts } from '../../model/plan.js'

export interface Seal {
  /** Takes a text; the same text has the same id as long as this process lives. */
  id(text: string): string
  /** All that were taken. */
  texts(): SealedTexts
}

/** Without it nobody can try out which text an id stands for. */
const key = randomBytes(32)

export function createSeal(): Seal {
  const texts: Record<string, string> = {}
  return {
    id(text) {
      const id = createHmac('sha256', key).update(text).digest('hex').slice(0, 32)
      texts[id] = text
      return id
    },
    texts: () => texts,
  }
}
