// `develop.watch` as live rules.
import { basename, isAbsolute, join, relative } from 'node:path'
import type { ComposeHost } from './load-project.js'
import { describeNode, type MapNode, type Node } from './node.js'
import { checkKeys, items, mapping, text, texts, type Reader } from './read.js'
import type { ComposedRule } from './result.js'
import { shellWords } from './shell-words.js'

const actions = ['sync', 'rebuild', 'restart', 'sync+restart', 'sync+exec']
const known = ['path', 'action', 'target', 'ignore', 'include', 'initial_sync', 'exec']

/** @param context the build context */
export function watchRules(
  reader: Reader,
  develop: MapNode | undefined,
  context: string | undefined,
  host: ComposeHost,
): readonly ComposedRule[] {
  const watch = develop?.entries.get('watch')
  if (!watch) return []
  if (context === undefined) {
    return (
      reader.problems.warn(reader.service, `${reader.what}: \`develop.watch\` is for services with \`build\`.`, {
        at: watch.at,
        why: 'The image of this service is not built here, so nothing of it is watched.',
        help: 'Give it a `build`, or remove `develop`.',
      }) ?? []
    )
  }
  return items(reader, 'develop.watch', watch).flatMap((node) => {
    const rule = mapping(reader, 'develop.watch', node)
    return rule ? oneRule(reader, rule, context, host) : []
  })
}

function oneRule(reader: Reader, rule: MapNode, context: string, host: ComposeHost): readonly ComposedRule[] {
  const { at, entries } = rule
  const { problems, service, what } = reader
  checkKeys(reader, 'develop.watch', rule, known)
  const action = text(reader, 'develop.watch.action', entries.get('action'))
  const path = text(reader, 'develop.watch.path', entries.get('path'))
  if (path === undefined || action === undefined) {
    return (
      problems.error(`${what}: a rule of \`develop.watch\` lacks its \`${path === undefined ? 'path' : 'action'}\`.`, {
        at,
        help: 'Write path, action and, to sync, target.',
      }) ?? []
    )
  }
  if (!actions.includes(action)) {
    const node = entries.get('action') as Node
    return (
      problems.error(`${what}: there is no action ${describeNode(node)}.`, {
        at: node.at,
        help: `Use one of ${actions.join(', ')}.`,
      }) ?? []
    )
  }
  const within = relative(context, path)
  if (within.startsWith('..') || isAbsolute(within)) {
    const why = `Live rules are about files of the build context, ${context}.`
    return (
      problems.warn(service, `${what}: changes of ${path} lead to nothing.`, {
        at: entries.get('path')?.at ?? at,
        why,
        help: 'Take the folder into the build context.',
      }) ?? []
    )
  }
  const from = within === '' ? '.' : within
  const below = (pattern: string): string => (within === '' ? pattern : `${within}/${pattern}`)
  const rules: ComposedRule[] = []
  for (const pattern of texts(reader, 'develop.watch.ignore', entries.get('ignore'))) {
    const place = entries.get('ignore')?.at ?? at
    if (pattern.startsWith('!'))
      problems.warn(service, `${what}: '${pattern}' of \`ignore\` is not followed.`, {
        at: place,
        help: 'Name what is to be ignored.',
      })
    else rules.push({ rule: 'ignore', args: [below(pattern.replace(/^\.?\/+|\/+$/g, ''))], at: place })
  }
  const include = entries.get('include')
  if (include)
    problems.warn(service, `${what}: \`include\` of \`develop.watch\` is not followed.`, {
      at: include.at,
      why: `All that is below ${from} is taken.`,
      help: 'Name the folder more closely in `path`.',
    })
  if (action === 'rebuild') return [...rules, { rule: 'rebuildOn', args: [from === '.' ? '**' : from], at }]
  if (action === 'restart') {
    problems.warn(service, `${what}: a change of ${from} rebuilds, and does not only restart.`, {
      at,
      why: 'A restart follows on files that are synced.',
      help: 'Use sync+restart, with a target.',
    })
    return [...rules, { rule: 'rebuildOn', args: [from === '.' ? '**' : from], at }]
  }
  const target = text(reader, 'develop.watch.target', entries.get('target'))
  if (target === undefined)
    return problems.error(`${what}: \`${action}\` has no \`target\`.`, { at, help: 'Write the path in the container.' }) ?? []
  const to = target.endsWith('/') && host.look(path) === 'file' ? join(target, basename(path)) : target
  rules.push({ rule: 'sync', args: [from, to, {}], at })
  const on = from === '.' ? {} : { on: from }
  if (action === 'sync+restart') rules.push({ rule: 'restart', args: [on], at })
  if (action === 'sync+exec') {
    const exec = mapping(reader, 'develop.watch.exec', entries.get('exec'))
    const command = exec?.entries.get('command')
    const words = command?.kind === 'scalar' ? shellWords(command.text) : texts(reader, 'develop.watch.exec.command', command)
    if (!exec || !words || words.length === 0)
      return (
        problems.error(`${what}: \`sync+exec\` has no \`exec.command\`.`, { at, help: 'Write exec: { command: ... }.' }) ?? []
      )
    for (const key of ['privileged', 'working_dir', 'environment']) {
      const node = exec.entries.get(key)
      if (node)
        problems.warn(service, `${what}: \`exec.${key}\` is not followed.`, {
          at: node.at,
          why: 'The command runs as the container does, in its working folder.',
          help: 'Say it in the command itself.',
        })
    }
    // a user of a Compose file may name a group, which is the user's own here
    const [user] = text(reader, 'develop.watch.exec.user', exec.entries.get('user'))?.split(':') ?? []
    rules.push({ rule: 'run', args: [words, user ? { ...on, user } : on], at })
  }
  return rules
}
