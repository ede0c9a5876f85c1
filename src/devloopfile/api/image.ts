// Images and their live rules.
import { callPosition, type ApiFunction } from './session.js'
import { snapshot } from './snapshot.js'
import type { Command, Image, ImageOptions, LiveRule, NotifyOptions, RestartOptions, RunOptions, SyncOptions } from './types.js'
import { called, makeValue } from './values.js'
import type { RuleType } from '../declaration.js'

/**
 * Something that is built from a folder with a Dockerfile.
 *
 * @param name its repository without registry and tag, such as `shop/api`; devloop adds the registry, and a tag made from the content
 * @example
 * const server = image('shop/api', {
 *   context: 'services/api',
 *   live: [
 *     rebuildOn('Dockerfile'),
 *     sync('src', '/app/src'),
 *     restart({ on: 'src/**' }),
 *   ],
 * })
 */
export function image(name: string, options: ImageOptions = {}): Image {
  const at = callPosition(image)
  const inside = { kind: 'image', name, options: snapshot(options), at } as const
  return makeValue(
    inside,
    { name: { value: name, enumerable: true } },
    called('image', name),
    "Give the image itself as an app's `image`.",
  )
}

/**
 * Live rule: copy changed files into the running containers, with no rebuild. A file of the context that is covered by several
 * `sync` goes to each of them.
 *
 * @param from file or folder, relative to the context; `.` is the whole context
 * @param to absolute path in the container: of the file, or of the folder
 * @example sync('.', '/app', { exclude: 'tests/**' })
 * @example sync('dist', '/app/dist', { from: 'container' })
 */
export function sync(from: string, to: string, options: SyncOptions = {}): LiveRule {
  return rule('sync', [from, to, options], sync)
}

/**
 * Live rule: run a command in the container after files were synced, in its working folder. Commands run in the order of the rules,
 * before a restart.
 *
 * @example run('npm ci', { on: 'package-lock.json' })
 */
export function run(command: Command, options: RunOptions = {}): LiveRule {
  return rule('run', [command, options], run)
}

/**
 * Live rule: tell the app that its files are there, when it reloads itself: by an HTTP request into the container, which needs nothing
 * of the image, or by a signal to its process. It has its place in the order of `run` steps.
 *
 * @example notify({ http: { port: 3000, path: '/reload', method: 'POST' }, on: 'templates/**' })
 */
export function notify(options: NotifyOptions): LiveRule {
  return rule('notify', [options], notify)
}

/**
 * Live rule: start the container's process again after files were synced, keeping the pod. With `signal`, the process gets that and
 * goes on.
 *
 * @example restart({ on: ['src/**', 'package-lock.json'] })
 * @example restart({ on: 'nginx.conf', signal: 'SIGHUP' })
 */
export function restart(options: RestartOptions = {}): LiveRule {
  return rule('restart', [options], restart)
}

/** Live rule: rebuild the image when one of these files changes, even where a `sync` covers it. Globs relative to the context. */
export function rebuildOn(...patterns: (string | readonly string[])[]): LiveRule {
  return rule('rebuildOn', patterns, rebuildOn)
}

/** Live rule: do nothing when one of these files changes. Globs relative to the context. What `.dockerignore` names is ignored anyway. */
export function ignore(...patterns: (string | readonly string[])[]): LiveRule {
  return rule('ignore', patterns, ignore)
}

function rule(type: RuleType, args: readonly unknown[], api: ApiFunction): LiveRule {
  const inside = { kind: 'rule', rule: type, args: args.map((arg) => snapshot(arg)), at: callPosition(api) } as const
  return makeValue(inside, {}, `a ${type} rule`, "Put the rule itself into an image's `live`.")
}
