// `image(name, { build: { command } })`: a builder of the user's own.
import { resolve } from 'node:path'
import type { CustomBuild } from '../../model/plan.js'
import type { CustomBuildOptions, ImageOptions } from '../api/types.js'
import type { Encoded } from '../declaration.js'
import { broken, command, options, string, wrong, type Subject } from './fields.js'
import { makeArgs } from './make-bases.js'
import type { PlanWork } from './work.js'

const known: Record<keyof CustomBuildOptions, true> = { command: true, env: true, cwd: true }

/** Options that say how a Dockerfile is built. */
const ofDockerfiles = [
  'dockerfile',
  'target',
  'args',
  'secrets',
  'ssh',
  'network',
  'extraHosts',
  'cacheFrom',
  'pull',
  'labels',
] as const satisfies readonly (keyof ImageOptions)[]

interface Places {
  readonly context: string
  /** Folder of the file that the call stands in. */
  readonly base: string
}

/** Undefined where a Dockerfile builds the image. */
export function makeCustomBuild(
  work: PlanWork,
  subject: Subject,
  given: Partial<Record<keyof ImageOptions, Encoded>>,
  { context, base }: Places,
): { readonly spec: CustomBuild; readonly baseArgs: Readonly<Record<string, string>> } | undefined {
  if (given.build === undefined) return undefined
  const found = options(subject, 'build', given.build, known)
  for (const name of ofDockerfiles) {
    if (given[name] === undefined) continue
    const help =
      name === 'args' || name === 'secrets' ? 'Give the command what it needs with `build.env`.' : `Remove \`${name}\`.`
    broken(subject, `\`${name}\` is for a Dockerfile, and \`build\` replaces that.`, undefined, help)
  }
  const run =
    found.command === undefined
      ? wrong(subject, 'build.command', 'a command: a string, or an array of strings', undefined)
      : command(subject, 'build.command', found.command)
  const cwd = string(subject, 'build.cwd', found.cwd)
  const { args, baseArgs } = makeArgs(work, subject, 'build.env', found.env)
  for (const name of Object.keys({ ...args, ...baseArgs })) {
    if (name.startsWith('DEVLOOP_'))
      broken(
        subject,
        `\`build.env.${name}\` is one of devloop's own.`,
        undefined,
        'Use a name that does not begin with `DEVLOOP_`.',
      )
  }
  return { spec: { command: run ?? '', cwd: cwd === undefined ? context : resolve(base, cwd), env: args }, baseArgs }
}
