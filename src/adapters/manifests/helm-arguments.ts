// The arguments that `helm template` and `helm upgrade` share: the chart, and its values.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { HelmSpec, ReleaseSpec } from '../../model/plan.js'

export interface HelmArguments {
  /** Release name, chart, and where it comes from. */
  readonly chart: readonly string[]
  readonly values: readonly string[]
  /** Delete the files that the values are in. */
  discard(): Promise<void>
}

/** Inline values become files that only this user can read, in their place among the others. */
export async function helmArguments(spec: HelmSpec | ReleaseSpec): Promise<HelmArguments> {
  const { chart } = spec
  const folder = await mkdtemp(join(tmpdir(), 'devloop-helm-'))
  const values: string[] = []
  for (const [index, one] of spec.values.entries()) {
    if ('file' in one) {
      values.push('--values', one.file)
      continue
    }
    const file = join(folder, `values-${index}.json`)
    await writeFile(file, JSON.stringify(one.inline), { mode: 0o600 })
    values.push('--values', file)
  }
  // as JSON: a comma or a brace in a value is no syntax of Helm's
  for (const [path, value] of Object.entries(spec.set)) values.push('--set-json', `${path}=${JSON.stringify(value)}`)
  return {
    chart:
      'path' in chart
        ? [spec.releaseName, chart.path]
        : [
            spec.releaseName,
            chart.name,
            ...(chart.repo === undefined ? [] : ['--repo', chart.repo]),
            ...(chart.version === undefined ? [] : ['--version', chart.version]),
            ...(chart.plainHttp ? ['--plain-http'] : []),
          ],
    values,
    discard: () => rm(folder, { recursive: true, force: true }),
  }
}
