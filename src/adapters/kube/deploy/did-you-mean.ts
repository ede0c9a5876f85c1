// A guess at the name that was meant, in the form that fits the end of a sentence.
import { nearest } from '../../../errors/did-you-mean.js'

/** ` Did you mean x?`, or nothing: to append to a sentence. */
export function didYouMean(name: string, candidates: Iterable<string>): string {
  const found = nearest(name, candidates)
  return found === undefined ? '' : ` Did you mean ${found}?`
}
