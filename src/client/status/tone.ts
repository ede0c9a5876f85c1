// How something is to be taken, wherever it is shown: each place has its own colours for it.

/** `quiet`: worth no colour. `plain`: text as any other. */
export type Tone = 'good' | 'bad' | 'busy' | 'warn' | 'quiet' | 'plain'

/** A few words and how they are to be taken. Text from elsewhere stands in them as it came. */
export interface Toned {
  readonly text: string
  readonly tone: Tone
}
