// `--local NAME` and `--remote NAME`: which way is taken of resources that can be made in two.
import type { Option } from 'commander'
import { DevloopError } from '../errors/devloop-error.js'
import { several } from './selection.js'

export interface ChoiceOptions {
  readonly local?: readonly string[]
  readonly remote?: readonly string[]
}

export const choiceOptions = (): readonly Option[] =>
  (['local', 'remote'] as const).map((way) => {
    const what = way === 'local' ? 'from source' : 'as they are released'
    return several(`--${way} <names>`, `make these resources ${what}, where the Devloopfile has both (\`either\`); with commas`)
  })

const split = (given: readonly string[] = []): readonly string[] =>
  given.flatMap((names) => names.split(',').filter((name) => name !== ''))

/** @throws DevloopError request/refused for one that is to be both */
export function choicesOf(options: ChoiceOptions): Readonly<Record<string, 'local' | 'remote'>> {
  const [local, remote] = [split(options.local), split(options.remote)]
  const both = local.find((name) => remote.includes(name))
  if (both !== undefined)
    throw new DevloopError('request/refused', `${both} cannot be made both ways at once`, {
      help: `Name it either behind --local or behind --remote.`,
    })
  return Object.fromEntries([
    ...local.map((name) => [name, 'local'] as const),
    ...remote.map((name) => [name, 'remote'] as const),
  ])
}
