import { describe, expect, it } from 'vitest'
import { createKeyReader } from '../../../../src/cli/screen/keys.js'

describe('createKeyReader', () => {
  it.each([
    ['letters', 'aÄ日', ['a', 'Ä', '日']],
    ['arrows of both kinds', '\x1b[A\x1bOB\x1b[1;5C', ['up', 'down', 'right']],
    ['home and end of all kinds', '\x1b[H\x1b[1~\x1b[7~\x1bOF\x1b[4~', ['home', 'home', 'home', 'end', 'end']],
    ['pages', '\x1b[5~\x1b[6~', ['pageup', 'pagedown']],
    ['control', '\x03\x1a\x0c\t\r\n\x7f\b', ['ctrl-c', 'ctrl-z', 'ctrl-l', 'tab', 'enter', 'enter', 'backspace', 'backspace']],
    ['what is not known', '\x1b[99~\x1b[?1;2c\x1b[<0;1;1Mx', ['x']],
    ['what was pasted', '\x1b[200~q\nt\x1b[201~q', ['paste:q\nt', 'q']],
  ])('%s', (_, text, keys) => {
    expect(createKeyReader().read(Buffer.from(text))).toEqual(keys)
    // the same in as many pieces as there are bytes
    const reader = createKeyReader()
    expect([...Buffer.from(text)].flatMap((byte) => reader.read(Buffer.from([byte])))).toEqual(keys)
    expect(reader.flush()).toEqual([])
  })

  it('takes a lone Escape for one when nothing comes after it', () => {
    const reader = createKeyReader()
    expect(reader.read('\x1b')).toEqual([])
    expect(reader.waits).toBe(true)
    expect(reader.flush()).toEqual(['escape'])
    expect(reader.waits).toBe(false)
    expect(reader.read('\x1bq')).toEqual(['escape', 'q'])
  })

  it('keeps little of what is pasted', () => {
    const reader = createKeyReader()
    reader.read('\x1b[200~')
    for (let times = 0; times < 100; times++) reader.read('x'.repeat(1000))
    expect(reader.read('\x1b[201~')[0]!.length).toBeLessThan(300)
  })
})
