// The small languages of Compose files: variables, env files, durations, sizes, commands.
import { expect, test } from 'vitest'
import { parseDotenv } from '../../../../src/model/dotenv.js'
import { shellWords } from '../../../../src/devloopfile/compose/shell-words.js'
import { durationSeconds, sizeQuantity } from '../../../../src/devloopfile/compose/units.js'
import { interpolate } from '../../../../src/model/variables.js'

const values: Readonly<Record<string, string>> = { A: 'one', EMPTY: '', NESTED: '$A' }
const unset: string[] = []
const replace = (text: string): string =>
  interpolate(text, {
    get: (name) => values[name],
    unset: (name) => void unset.push(name),
    fail(message, help) {
      throw new Error(`${message} -> ${help}`)
    },
  })

test.each([
  ['plain', 'plain'],
  ['$A ${A} a$$A $$${A}', 'one one a$A $one'],
  ['${EMPTY-x}|${EMPTY:-x}|${NONE-x}|${NONE:-x}', '|x|x|x'],
  ['${A:+y}|${EMPTY:+y}|${EMPTY+y}|${NONE+y}', 'y||y|'],
  ['${NONE:-${EMPTY:-${A}}}', 'one'],
  ['${NONE:-a{b}c}', 'a{bc}'],
  ['${NESTED}', '$A'],
  ['${A:?needed}', 'one'],
  ['http://$A:80/${NONE:-}', 'http://one:80/'],
])('variables in %s', (text, expected) => {
  expect(replace(text)).toBe(expected)
  expect(unset).toEqual([])
})

test.each([
  ['${NONE:?set it}', 'The variable NONE is not set: set it -> Set NONE in the environment of devloop or in .env.'],
  ['${EMPTY:?}', 'The variable EMPTY is empty. -> Set EMPTY in the environment of devloop or in .env.'],
  ['${A', "'${A' names no variable behind a $. -> Write $$ for a plain $."],
  ['5$ each', "'5$ each' names no variable behind a $. -> Write $$ for a plain $."],
  ['${A*}', "'${A*}' names no variable behind a $. -> Write $$ for a plain $."],
])('what is wrong with %s', (text, message) => {
  expect(() => replace(text)).toThrow(message)
})

test('a variable that is not set stands for nothing, and is told', () => {
  unset.length = 0
  expect(replace('a${NONE}b$OTHER')).toBe('ab')
  expect(unset).toEqual(['NONE', 'OTHER'])
})

const dotenv = (text: string, raw = false): Record<string, string | undefined> =>
  Object.fromEntries(
    parseDotenv(text, {
      raw,
      get: (name) => values[name],
      fail(message, _help, line) {
        throw new Error(`${line}: ${message}`)
      },
    }),
  )

test('env files', () => {
  expect(
    dotenv(`# comment
A1=plain # comment
  export B = spaced value
C='single $A \\n # kept'
D="double $A\\n# \\"kept\\" \\$A" # comment
E=
F=$A1-\${NONE:-x}
G="two
lines"
A
H: yaml
I=a#b\r
`),
  ).toEqual({
    A1: 'plain',
    B: 'spaced value',
    C: 'single $A \\n # kept',
    D: 'double one\n# "kept" $A',
    E: '',
    F: 'plain-x',
    G: 'two\nlines',
    A: 'one',
    H: 'yaml',
    I: 'a#b',
  })
  expect(dotenv('A="x" $B # y', true)).toEqual({ A: '"x" $B # y' })
  expect(() => dotenv('A=1\nB="open\n')).toThrow('2: The value of B has no closing ".')
  expect(() => dotenv('A=1\n\n= 3')).toThrow('3: This line is no NAME=VALUE.')
})

test('durations and sizes', () => {
  expect(['10', '1m30s', '500ms', '1h', '2d', '1.5s', 'x', '5 s', ''].map(durationSeconds)).toEqual([
    10,
    90,
    0.5,
    3600,
    172_800,
    1.5,
    undefined,
    undefined,
    undefined,
  ])
  expect(['512m', '1gb', '1.5G', '64000', '1b', '2KiB', 'lots', '-1'].map(sizeQuantity)).toEqual([
    '512Mi',
    '1Gi',
    '1536Mi',
    '64000',
    '1',
    '2048',
    undefined,
    undefined,
  ])
})

test('commands in words', () => {
  expect(shellWords(`sh -c "echo 'a b' \\"c\\" \\$d" e\\ f '' g"h"i`)).toEqual([
    'sh',
    '-c',
    `echo 'a b' "c" $d`,
    'e f',
    '',
    'ghi',
  ])
  expect(shellWords('  ')).toEqual([])
  expect(shellWords('echo "open')).toBeUndefined()
})
