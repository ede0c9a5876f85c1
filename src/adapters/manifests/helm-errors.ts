// Helm's own words as an error that names the file of the chart.
import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import { DevloopError, type SourcePosition } from '../../errors/devloop-error.js'
import type { HelmSpec } from '../../model/plan.js'
import { isNetworkTrouble } from './tool.js'

/** What Helm says is wrong, without what it says beside. */
export const helmWords = (stderr: string): string =>
  stderr
    .split('\n')
    .filter((line) => !/^(?:level=|time=|WARNING:|walk\.go|Use --debug flag|Hang tight|\.\.\.Successfully got)/.test(line.trim()))
    .join('\n')
    .trim()
    .replace(/^Error:\s*/, '')

/** @param folder the local chart, if it is one */
export function helmError(spec: HelmSpec, folder: string | undefined, stderr: string, message: string): DevloopError {
  const why = helmWords(stderr)
  const where = placeIn(folder, why) ?? spec.at
  if (/lock file .* is out of sync/.test(why))
    return new DevloopError('render/failed', message, { why, where, help: `Run \`helm dependency update ${folder ?? ''}\`.` })
  if (/server gave HTTP response to HTTPS client/.test(why))
    return new DevloopError('render/failed', message, {
      why,
      where,
      help: 'The registry has no TLS: say so with `plainHttp: true`.',
    })
  return new DevloopError(isNetworkTrouble(why) ? 'render/unreachable' : 'render/failed', message, { why, where })
}

/** The place that Helm names: `shop/templates/web.yaml:12:20`, its first part being the name of the chart; or a file of values. */
function placeIn(folder: string | undefined, text: string): SourcePosition | undefined {
  for (const [, path = '', line, column] of text.matchAll(
    /([\w.@-]+(?:\/[\w.@-]+)+\.(?:ya?ml|tpl|txt|json))(?::(\d+))?(?::(\d+))?/g,
  )) {
    const file = folder === undefined ? undefined : templateFile(folder, path)
    if (file === undefined) continue
    const inYaml = /yaml: line (\d+):/.exec(text)?.[1]
    return { file, line: Number(line ?? inYaml ?? 1), ...(column === undefined ? {} : { column: Number(column) }) }
  }
  return undefined
}

/** A template as Helm calls it, as a file; undefined for one that is in an archive. */
export function templateFile(folder: string, name: string): string | undefined {
  const file = join(folder, name.slice(name.indexOf('/') + 1))
  return existsSync(file) && basename(file) === basename(name) ? file : undefined
}
