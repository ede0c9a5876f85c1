// `image(name, { from })`: an image that is not built, only pulled and synced into.
import type { ImageSpec, LiveRule, PulledImage, ResourceSpec } from '../../model/plan.js'
import type { ImageOptions } from '../api/types.js'
import type { Encoded } from '../declaration.js'
import { boolean, broken, string, wrong, type Subject } from './fields.js'
import type { Problems } from './problems.js'

/** Options that say how an image is built. */
const ofBuilds = [
  'dockerfile',
  'target',
  'args',
  'bases',
  'secrets',
  'ssh',
  'platform',
  'network',
  'extraHosts',
  'cacheFrom',
  'pull',
  'labels',
  'tags',
  'build',
] as const satisfies readonly (keyof ImageOptions)[]

/** Undefined where the image is built, or `from` is wrong. */
export function makePulled(subject: Subject, given: Partial<Record<keyof ImageOptions, Encoded>>): PulledImage | undefined {
  const initialSync = boolean(subject, 'initialSync', given.initialSync)
  if (given.from === undefined) {
    if (given.initialSync !== undefined)
      broken(
        subject,
        '`initialSync` is for an image that is only pulled.',
        'One that is built holds its context.',
        "Remove it, or give `from: 'REFERENCE'`.",
      )
    return undefined
  }
  for (const name of ofBuilds)
    if (given[name] !== undefined)
      broken(
        subject,
        `\`${name}\` is for an image that is built, and \`from\` names one that is not.`,
        undefined,
        `Remove \`${name}\`, or \`from\`.`,
      )
  const ref = string(subject, 'from', given.from)
  if (ref === undefined) return undefined
  if (!/^[\w.:/@-]+$/.test(ref)) return wrong(subject, 'from', "a reference such as 'nginx:1.27-alpine'", ref)
  return { ref, initialSync: initialSync ?? true }
}

/** Rules that make no sense for it. */
export function checkPulledRules(subject: Subject, rules: readonly LiveRule[]): void {
  const rebuild = rules.find((rule) => rule.kind === 'rebuildOn')
  if (rebuild)
    broken(
      { ...subject, at: rebuild.at },
      '`rebuildOn` has nothing to build: the image is only pulled.',
      undefined,
      'Remove the rule, or `from`.',
    )
  if (!rules.some((rule) => rule.kind === 'sync'))
    broken(
      subject,
      'it is only pulled, and no `sync` brings anything into it.',
      undefined,
      "Add a sync to `live`, or give the reference itself as the app's `image`.",
    )
}

/** What replaces a process must have started it, and so know what it is. */
export function checkPulledRestarts(problems: Problems, images: readonly ImageSpec[], resources: readonly ResourceSpec[]): void {
  for (const image of images) {
    const rule = image.live.find((one) => one.kind === 'restart' && one.signal === undefined)
    if (!image.pulled || !rule) continue
    for (const app of resources) {
      if (app.kind !== 'app' || !('built' in app.image) || app.image.built !== image.name || app.command) continue
      problems.add('devloopfile/invalid', {
        message: `restart of image '${image.name}': app '${app.name}' needs a \`command\`.`,
        why: `${image.pulled.ref} is only pulled: what it starts is not known here.`,
        at: rule.at,
        help: `Give app '${app.name}' the \`command\` that is to be restarted.`,
      })
    }
  }
}
