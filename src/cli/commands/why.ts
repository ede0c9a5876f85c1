// `devloop why`: which rule takes a file, or how a resource is and why.
import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { DevloopClient } from '../../client/index.js'
import type { ResourceView } from '../../protocol/messages.js'
import { withDaemon } from '../connect.js'
import { exitCodes } from '../exit.js'
import { errorText } from '../../client/status/error-text.js'
import { harmless } from '../../client/status/harmless.js'
import { linkName } from '../../client/status/resource-words.js'
import { resourcesOf } from '../../client/status/views.js'

/** @param subject a path, or the name of a resource where there is no such file; a folder of that name does not count */
export const why = (subject: string, options: { readonly file?: string; readonly json?: boolean }): Promise<number> =>
  withDaemon(options.file, ['state'], async (client) => {
    const resource = isFile(resolve(subject)) ? undefined : resourceNamed(client, subject)
    if (resource) {
      process.stdout.write(options.json ? `${JSON.stringify(resource, undefined, 2)}\n` : resourceText(resource))
      return exitCodes.ok
    }
    const result = await client.request('why', { path: resolve(subject) })
    if (options.json) {
      process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`)
    } else if (result.answers.length === 0) {
      process.stdout.write(`${result.path}: nothing watches it; a save of it does nothing\n`)
    } else {
      for (const { subject: of, action, rule, at, effects } of result.answers) {
        process.stdout.write(`${of}: ${action}, by ${rule}${at === undefined ? '' : ` (${at})`}\n`)
        for (const effect of effects) process.stdout.write(`  ${effect}\n`)
      }
    }
    return exitCodes.ok
  })

/** A folder often has the name of the app in it, and rules take files. */
function isFile(path: string): boolean {
  try {
    return statSync(path).isFile()
  } catch {
    // also where a file stands in the place of a folder on the way
    return false
  }
}

const resourceNamed = (client: DevloopClient, name: string): ResourceView | undefined =>
  resourcesOf(client.views()).find((one) => one.name === name)

/** What it is doing, or why nothing is done; what is wrong; where it leads to. */
export function resourceText({ name, status, activity, hold, error, warnings, needs, links = [] }: ResourceView): string {
  const lines = [
    ...(activity === undefined ? [] : [activity]),
    ...(hold ? [`it waits: ${hold.message}`] : []),
    ...(needs.length > 0 ? [`it needs ${needs.join(', ')}`] : []),
    ...[...(error ? [error] : []), ...warnings].flatMap((one) => errorText(one).split('\n')),
    ...links.map((link) => `link to ${linkName(link)}: ${link.state}${link.why === undefined ? '' : `, ${link.why}`}`),
  ]
  return [`${name}: ${status}`, ...lines.map((line) => `  ${harmless(line)}`)].join('\n').concat('\n')
}
