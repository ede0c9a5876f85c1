// Text from elsewhere (programs' output, file names, other people's error messages), made safe to print: it must not move
// our cursor, change colours or reorder what is beside it.

// CSI, OSC and the two-character escape sequences
// oxlint-disable-next-line no-control-regex
const escapes = /\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])/g
// what is left of control characters, line separators, and the marks that turn the direction of text
// oxlint-disable-next-line no-control-regex
const controls = /[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g

/** One line without control characters. A tab becomes two spaces; of a line that was drawn over and over, the last is kept. */
export function harmless(line: string): string {
  const text = line.replace(escapes, '')
  const last = text.includes('\r') ? (text.split('\r').findLast((part) => part !== '') ?? '') : text
  return last.replace(/\t/g, '  ').replace(controls, '')
}
