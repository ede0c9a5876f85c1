import { describe, expect, it } from 'vitest'
import { errorText } from '../../../../src/client/status/error-text.js'
import { harmless } from '../../../../src/client/status/harmless.js'
import { logText } from '../../../../src/cli/render/log-line.js'
import { colourStyle, plainStyle, terminalStyle } from '../../../../src/cli/render/style.js'
import { timeSpan } from '../../../../src/client/status/time-span.js'
import { buildError, line } from '../views.js'

describe('harmless', () => {
  it.each([
    ['colours', '\x1b[1;31mred\x1b[0m', 'red'],
    ['cursor movement', 'a\x1b[2J\x1b[10;10Hb', 'ab'],
    ['window titles, ended by BEL or ST', '\x1b]0;title\x07a\x1b]0;title\x1b\\b', 'ab'],
    ['links', '\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\', 'link'],
    ['device strings', 'a\x1bP1$q\x1b\\b', 'ab'],
    ['character sets and resets', '\x1b(B\x1bca\x1b7\x1b8', 'a'],
    ['an escape sequence that is cut off', 'a\x1b[31', 'a31'],
    ['single control characters', 'a\x07\x00\x08\x9bb\x7f', 'ab'],
    ['tabs', 'a\tb', 'a  b'],
    ['a progress bar', '10 %\r50 %\r100 %\r', '100 %'],
    ['line ends', 'a\r', 'a'],
    ['turned direction', 'a\u202egnp.exe\u2069', 'agnp.exe'],
    ['line separators', 'a\u2028b', 'ab'],
    ['other scripts, left alone', '日本語 é ❤️', '日本語 é ❤️'],
  ])('%s', (_, text, expected) => expect(harmless(text)).toBe(expected))
})

describe('logText', () => {
  it.each([
    [line('api', 'listening'), 'api │ listening'],
    [line('api', 'applied deployment/api', { source: 'deploy' }), 'api deploy │ applied deployment/api'],
    [line('docs', 'ready', { source: 'serve' }), 'docs │ ready'],
    [line('', 'building', { source: 'build' }), 'build │ building'],
    [line('', 'cannot write', { source: 'daemon' }), 'devloop │ cannot write'],
    [line('api', '\x1b[2Jgone\x1b]0;x\x07'), 'api │ gone'],
  ])('%o', (entry, expected) => expect(logText(entry, plainStyle)).toBe(expected))

  it.each([
    ['{"level":"info","time":1,"msg":"listening","port":80}', 'INFO listening port=80'],
    ['{"severity":"ERROR","message":"no way","user":{"id":1},"path":"/a b"}', 'ERROR no way user={"id":1} path="/a b"'],
    ['{"level":50,"msg":"two\\nlines"}', 'ERROR two ⏎ lines'],
    ['{"a":1}', '{"a":1}'],
    ['{not json}', '{not json}'],
  ])('makes JSON readable: %s', (text, expected) => {
    expect(logText(line('api', text), plainStyle)).toBe(`api │ ${expected}`)
    expect(logText(line('api', text), plainStyle, { raw: true })).toBe(`api │ ${text}`)
  })

  it('names the container where there are several, in a colour of its own, and the time where asked', () => {
    const said = line('api', '{"level":"error","msg":"bad"}', { source: 'api-1/side', container: 'side', at: 0 })
    expect(logText(said, plainStyle, { timestamps: true })).toBe('1970-01-01T00:00:00.000Z api/side │ ERROR bad')
    const other = { ...said, container: 'main', source: 'api-1/main' }
    const colours = [said, other].map((one) => logText(one, colourStyle).split('m')[0])
    expect(new Set(colours).size).toBe(2)
    expect(logText(said, colourStyle)).toContain('\x1b[31mERROR bad')
  })

  it('shows the level by colour', () => {
    expect(logText(line('api', 'bad', { level: 'error' }), colourStyle)).toBe('\x1b[2mapi │\x1b[22m \x1b[31mbad\x1b[39m')
    expect(logText(line('api', 'hm', { level: 'warn' }), colourStyle)).toBe('\x1b[2mapi │\x1b[22m \x1b[33mhm\x1b[39m')
  })
})

describe('errorText', () => {
  it('has what, where, why and what to do', () => {
    expect(errorText(buildError)).toMatchInlineSnapshot(`
      "shop/api could not be built: RUN npm ci failed with exit code 1 [build/failed]
        at /p/services/api/Dockerfile:7
        npm error code ENOENT
        npm error path /app/package.json
        npm error errno -2
        Correct the Dockerfile line, or the source that it compiles."
    `)
  })
  it('does without what is not known, and cleans what others wrote', () => {
    expect(errorText({ code: 'run/failed', message: 'two\nlines', why: '\x1b[31mred\x1b[0m\n', help: 'Do this.' })).toBe(
      'two [run/failed]\n  lines\n  red\n  Do this.',
    )
  })
  it('gives the column where there is one', () => {
    expect(
      errorText({ code: 'devloopfile/syntax', message: 'no', where: { file: '/p/D.ts', line: 3, column: 9 }, help: '' }),
    ).toBe('no [devloopfile/syntax]\n  at /p/D.ts:3:9')
  })
})

describe('timeSpan', () => {
  it.each([
    [-5, '0 ms'],
    [24.4, '24 ms'],
    [999.6, '1.0 s'],
    [1840, '1.8 s'],
    [59_990, '1 min'],
    [90_000, '1 min 30 s'],
    [750_000, '12 min'],
    [3 * 3_600_000, '3 h'],
  ])('%d', (ms, expected) => expect(timeSpan(ms)).toBe(expected))
})

describe('terminalStyle', () => {
  it('has colours but for NO_COLOR and dumb terminals', () => {
    expect(terminalStyle({ TERM: 'xterm' }).red('x')).toBe('\x1b[31mx\x1b[39m')
    expect(terminalStyle({ TERM: 'xterm', NO_COLOR: '' }).red('x')).toBe('\x1b[31mx\x1b[39m')
    expect(terminalStyle({ TERM: 'xterm', NO_COLOR: '1' }).red('x')).toBe('x')
    expect(terminalStyle({ TERM: 'dumb' }).red('x')).toBe('x')
  })
})
