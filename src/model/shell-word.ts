// Text as a word of a shell's command.

/** One word that a POSIX shell takes as exactly this text, which may have several lines. */
export const shellWord = (text: string): string =>
  /^[\w./@%+,:=-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`
