// What was pressed, from the bytes that a terminal sends.
import { StringDecoder } from 'node:string_decoder'

/**
 * A printable character as it is, or a name: `up`, `down`, `left`, `right`, `home`, `end`, `pageup`, `pagedown`, `enter`, `escape`,
 * `backspace`, `tab`, `delete`, and `ctrl-a` to `ctrl-z`; `paste:TEXT` for what was pasted. What is not known is left out.
 */
export type Key = string

/** Whether a key stands for itself. */
export const isCharacter = (key: Key): boolean => key.length === 1 || (key.length === 2 && key.codePointAt(0)! > 0xffff)

export interface KeyReader {
  /** The keys of some bytes. What may be the beginning of a longer sequence is kept for the next call. */
  read(data: Buffer | string): Key[]
  /** What was kept, when nothing came after it: a lone Escape. */
  flush(): Key[]
  /** Whether something is kept. */
  readonly waits: boolean
}

const final: Readonly<Record<string, Key>> = { A: 'up', B: 'down', C: 'right', D: 'left', H: 'home', F: 'end', Z: 'backtab' }
const numbered: Readonly<Record<string, Key>> = {
  1: 'home',
  3: 'delete',
  4: 'end',
  5: 'pageup',
  6: 'pagedown',
  7: 'home',
  8: 'end',
}
// CSI with parameters, SS3, and what may become one of them
// oxlint-disable-next-line no-control-regex
const sequence = /^\x1b(?:\[([0-9;?<]*)([ -/]*[@-~])|O([A-Za-z]))/
// oxlint-disable-next-line no-control-regex
const beginning = /^\x1b(?:\[[0-9;?<]*[ -/]*|O)?$/

// bracketed paste: the terminal tells what was pasted from what was typed
const [pasteBegins, pasteEnds] = ['\x1b[200~', '\x1b[201~']
/** More is not pasted into a question. */
const pasteMost = 200

/** Creates a reader for one terminal. */
export function createKeyReader(): KeyReader {
  const decoder = new StringDecoder('utf8')
  let kept = ''
  let pasted: string | undefined
  const take = (text: string, atEnd: boolean): Key[] => {
    const keys: Key[] = []
    let rest = text
    while (rest !== '') {
      if (pasted !== undefined) {
        const end = rest.indexOf(pasteEnds)
        // the end may come in two pieces
        const stop = end >= 0 ? end : Math.max(0, rest.length - pasteEnds.length + 1)
        pasted = (pasted + rest.slice(0, stop)).slice(0, pasteMost)
        rest = rest.slice(stop)
        if (end < 0) break
        keys.push(`paste:${pasted}`)
        pasted = undefined
        rest = rest.slice(pasteEnds.length)
        continue
      }
      if (rest.startsWith(pasteBegins)) {
        pasted = ''
        rest = rest.slice(pasteBegins.length)
        continue
      }
      const [known, parameters = '', ending = '', ss3] = sequence.exec(rest) ?? []
      if (known !== undefined) {
        const key = ss3 !== undefined ? final[ss3] : ending === '~' ? numbered[parameters.split(';')[0] ?? ''] : final[ending]
        if (key !== undefined) keys.push(key)
        rest = rest.slice(known.length)
      } else if (!atEnd && beginning.test(rest)) break
      else {
        const character = String.fromCodePoint(rest.codePointAt(0)!)
        const key = named(character)
        if (key !== undefined) keys.push(key)
        rest = rest.slice(character.length)
      }
    }
    kept = rest
    return keys
  }
  return {
    read: (data) => take(kept + (typeof data === 'string' ? data : decoder.write(data)), false),
    flush: () => take(kept, true),
    get waits() {
      return kept !== '' && pasted === undefined
    },
  }
}

function named(character: string): Key | undefined {
  const code = character.codePointAt(0)!
  if (code === 13 || code === 10) return 'enter'
  if (code === 9) return 'tab'
  if (code === 27) return 'escape'
  if (code === 8 || code === 127) return 'backspace'
  if (code < 27) return `ctrl-${String.fromCharCode(96 + code)}`
  return code < 32 || (code > 127 && code < 160) ? undefined : character
}
