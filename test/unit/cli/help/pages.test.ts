import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { helpPages } from '../../../../src/cli/help/pages.js'
import { createProgram } from '../../../../src/cli/program/program.js'

const { program } = createProgram([])
const visible = program.commands.filter((one) => !(one as { readonly _hidden?: boolean })._hidden)

it('there is one with an example for each command, and none for others', () => {
  expect(Object.keys(helpPages).sort()).toEqual(visible.map((one) => one.name()).sort())
  for (const command of visible)
    expect([command.name(), helpPages[command.name()]?.examples.length]).not.toEqual([command.name(), 0])
})

it('each command that prints data does so as JSON, too, and docs/cli.md has the shape', () => {
  const withJson = visible.filter(({ options }) => options.some(({ long }) => long === '--json')).map((one) => one.name())
  expect(visible.map((one) => one.name()).filter((name) => !withJson.includes(name))).toEqual(['attach', 'exec', 'completion'])
  const document = readFileSync(new URL('../../../../docs/cli.md', import.meta.url), 'utf8')
  const table = document.slice(document.indexOf('## JSON'), document.indexOf('## Completion'))
  const cells = [...table.matchAll(/^\| (`.*?`) \|/gm)].map(([, cell = '']) => cell)
  const described = cells.flatMap((cell) => [...cell.matchAll(/`([\w-]+)/g)].map(([, name]) => name))
  expect(new Set(described)).toEqual(new Set(withJson))
})

/** The command lines of devloop in a line for a shell. */
const linesIn = (run: string): string[][] =>
  run
    .split(/&&|\||\$\(|\)|</)
    .map((part) => part.trim().split(/\s+/))
    .filter(([first]) => first === 'devloop')

it('the examples use commands and options that there are', () => {
  let options = 0
  for (const [name, { examples }] of Object.entries(helpPages)) {
    expect([name, examples.some(({ run }) => linesIn(run).some(([, command]) => command === name))]).toEqual([name, true])
    for (const [, ...words] of examples.flatMap(({ run }) => linesIn(run))) {
      const command = visible.find((one) => one.name() === words[0])
      expect([words.join(' '), command?.name()]).toEqual([words.join(' '), words[0]])
      const given = [...words, '--'].slice(0, [...words, '--'].indexOf('--')).filter((word) => word.startsWith('-'))
      for (const flag of given) {
        expect([name, flag, command?.options.some(({ long, short }) => [long, short].includes(flag.split('=')[0]))]).toEqual([
          name,
          flag,
          true,
        ])
        options++
      }
    }
  }
  expect(options).toBeGreaterThan(20)
})
