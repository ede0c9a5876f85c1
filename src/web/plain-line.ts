// A line of log as it is read, searched and copied.
import { harmless } from '../client/status/harmless.js'

// oxlint-disable-next-line no-control-regex
const suspicious = /[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/

/** Without what moves a cursor, changes colours or turns the direction of text. Most lines have nothing of that. */
export const plainLine = (text: string): string => (suspicious.test(text) ? harmless(text) : text)

/** What is seen of a line that was drawn over and over. */
export const lastDrawn = (text: string): string =>
  text.includes('\r') ? (text.split('\r').findLast((part) => part !== '') ?? '') : text
