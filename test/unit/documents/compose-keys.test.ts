// docs/compose.md names every key that a Compose file can have, with what becomes of it.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { buildKeys, deployKeys, serviceKeys, topLevelKeys, type Treatment } from '../../../src/devloopfile/compose/keys.js'
import { repository } from '../../support/devloop.js'

const text = await readFile(join(repository, 'docs/compose.md'), 'utf8')
const [, every = ''] = text.split('## Every key')
const [services = '', rest = ''] = every.split('Keys of `build`:')
const [build = '', more = ''] = rest.split('Keys of `deploy`:')
const [deploy = '', top = ''] = more.split('At the top:')

const word = (treatment: Treatment): RegExp =>
  treatment === 'followed' ? /./ : treatment === 'left out' ? /left out/i : 'error' in treatment ? /error/i : /warning/i

const lineOf = (section: string, key: string): string | undefined =>
  section.split('\n').find((line) => line.includes(`\`${key}\``))

describe.each([
  ['services', services, serviceKeys],
  ['build', build, buildKeys],
  ['deploy', deploy, deployKeys],
  ['the top', top, topLevelKeys],
] as const)('keys of %s', (_name, section, keys) => {
  test.each([...keys])('%s', (key, treatment) => {
    expect(lineOf(section, key)).toMatch(word(treatment))
  })
})
