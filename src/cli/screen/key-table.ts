// The keys: one list for the last line, the help and the documentation.

export interface KeyHelp {
  /** As it is written on the screen. */
  readonly keys: string
  /** In a word or two, for the last line; absent = not shown there. */
  readonly short?: string
  readonly text: string
  /** Where it is worth showing in the last line; default everywhere. */
  readonly where?: 'table' | 'log' | 'details'
}

/** @param quit what `q` does: `quit` or `detach`, and in a sentence */
export const keyTable = (quit: { readonly word: string; readonly text: string }): readonly KeyHelp[] => [
  {
    keys: '↑↓',
    short: 'select',
    text: 'select a resource; the first line stands for all (also k, j, Home, End)',
    where: 'table',
  },
  { keys: 's', text: 'select a resource by a part of its name' },
  {
    keys: '⏎',
    short: 'open',
    text: 'give the whole screen to the log or the details; there, ↑ and ↓ move in it',
    where: 'table',
  },
  { keys: 'Esc', short: 'back', text: 'back: from the whole screen, from a search, then to all resources' },
  { keys: 'Tab', short: 'log/details', text: 'change between the log and the details' },
  { keys: 'PgUp PgDn', text: 'move in the log or the details by pages (also Ctrl-B, Ctrl-F)' },
  { keys: 'f', short: 'follow', text: 'follow the log again (also G or End at the whole screen)', where: 'log' },
  { keys: '/', short: 'search', text: 'search the log, in whatever case' },
  { keys: 'n N', short: 'older/newer', text: 'to the next older, or newer, line that was found', where: 'log' },
  { keys: 'v', short: 'level', text: 'show all lines, warnings and errors, or errors only', where: 'log' },
  { keys: 't', short: 'trigger', text: 'trigger: build and deploy again, run again, or let pending changes go' },
  { keys: 'r', short: 'restart', text: 'restart the process of the resource' },
  { keys: 'e', text: 'enable, or disable (asks first)' },
  { keys: 'o', short: 'link', text: 'open an address of the resource in a browser' },
  { keys: 'w', short: 'page', text: 'open the status page in a browser' },
  { keys: 'y', text: 'copy an address of the resource' },
  { keys: 'c', text: 'copy the log line that is pointed at, or else the error, whole' },
  { keys: 'Ctrl-L', text: 'draw the screen anew' },
  { keys: 'Ctrl-Z', text: 'suspend; `fg` comes back' },
  { keys: '?', short: 'help', text: 'this help' },
  { keys: 'q', short: quit.word, text: `${quit.text} (also Ctrl-C)` },
]
