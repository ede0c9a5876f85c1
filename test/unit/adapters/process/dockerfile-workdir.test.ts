import { describe, expect, it } from 'vitest'
import { dockerfileWorkdir } from '../../../../src/adapters/process/dockerfile-workdir.js'

const workdir = (text: string, target?: string, args: Record<string, string> = {}): string | undefined =>
  dockerfileWorkdir({ text, args, target })

describe('dockerfileWorkdir', () => {
  it.each([
    ['no WORKDIR', 'FROM node:20', '/'],
    ['the last one', 'FROM a\nWORKDIR /one\nRUN x\nworkdir /two/', '/two'],
    ['relative ones', 'FROM a\nWORKDIR /app\nWORKDIR src\nWORKDIR ../lib', '/app/lib'],
    ['a relative first one', 'FROM a\nWORKDIR app', '/app'],
    ['of the last stage', 'FROM a AS build\nWORKDIR /build\nFROM b\nCOPY --from=build /x /x', '/'],
    [
      'inherited from a stage',
      'FROM a AS Base\nWORKDIR /base\nFROM --platform=$BUILDPLATFORM base as two\nWORKDIR sub',
      '/base/sub',
    ],
    ['an argument', 'FROM a\nARG DIR=/srv\nWORKDIR $DIR/x', '/srv/x'],
    ['a global argument taken over', 'ARG DIR=/srv\nFROM a\nARG DIR\nWORKDIR ${DIR}', '/srv'],
    ['a global argument not taken over', 'ARG DIR=/srv\nFROM a\nWORKDIR /x${DIR}', '/x'],
    ['ENV over ARG', 'FROM a\nENV D=/env\nARG D=/arg\nWORKDIR $D', '/env'],
    ['ENV from an earlier instruction', 'FROM a\nENV A=/a\nENV A=/other B="$A/b c"\nWORKDIR $B', '/a/b c'],
    ['arguments not inherited from a stage', 'FROM a AS one\nARG D=/d\nENV E=/e\nFROM one\nWORKDIR $E$D', '/e'],
    ['the old ENV form', 'FROM a\nENV HOME_DIR /home/me\nWORKDIR $HOME_DIR', '/home/me'],
    ['defaults and alternatives', 'FROM a\nENV A=1\nWORKDIR /${A:+set}/${B:-none}/${C}', '/set/none'],
    ['continued lines', 'FROM a\nENV A=1 \\\n  # comment\n  B=/dir\nWORKDIR \\\n  $B', '/dir'],
    ['another escape character', '# escape=`\nFROM a\nWORKDIR `\n /x', '/x'],
    ['here-documents', 'FROM a\nWORKDIR /x\nRUN <<EOF cat <<-"TWO"\nWORKDIR /no\nEOF\nWORKDIR /no\n\tTWO\nRUN true', '/x'],
    ['comments', '# WORKDIR /no\nFROM a\n  # WORKDIR /no\nWORKDIR /x', '/x'],
    ['quotes', 'FROM a\nWORKDIR "/with space"', '/with space'],
    ['carriage returns', 'FROM a\r\nWORKDIR /x\r\n', '/x'],
  ])('%s', (_name, text, expected) => {
    expect(workdir(text)).toBe(expected)
  })

  it('takes build arguments', () => {
    expect(
      workdir('ARG BASE=one\nFROM node AS one\nWORKDIR /1\nFROM node AS two\nWORKDIR /2\nFROM ${BASE}', undefined, {
        BASE: 'two',
      }),
    ).toBe('/2')
    expect(workdir('FROM a\nARG DIR=/srv\nWORKDIR $DIR', undefined, { DIR: '/mine' })).toBe('/mine')
  })

  it('takes the target stage by name or number', () => {
    const text = 'FROM a AS dev\nWORKDIR /dev\nFROM b AS prod\nWORKDIR /prod'
    expect(workdir(text, 'DEV')).toBe('/dev')
    expect(workdir(text, '1')).toBe('/prod')
    expect(workdir(text, 'none')).toBeUndefined()
  })
})
