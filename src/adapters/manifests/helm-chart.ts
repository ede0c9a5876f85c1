// What stands in a local chart: its name, what it depends on, and the files that a rendering reads.
import { readdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parse } from 'yaml'
import type { HelmSpec, ReleaseSpec } from '../../model/plan.js'
import type { RenderInput } from '../../ports/manifest-renderer.js'

export interface ChartDependency {
  readonly name: string
  /** Folder of a dependency that is on this machine too. */
  readonly folder: string | undefined
}

/** Never rejects: a chart that cannot be read has no name and depends on nothing. */
export async function readChart(folder: string): Promise<{ name: string | undefined; dependencies: readonly ChartDependency[] }> {
  try {
    const chart = (parse(await readFile(join(folder, 'Chart.yaml'), 'utf8')) ?? {}) as {
      name?: unknown
      dependencies?: readonly { name?: unknown; repository?: unknown }[]
    }
    const dependencies = (Array.isArray(chart.dependencies) ? chart.dependencies : []) as typeof chart.dependencies
    return {
      name: typeof chart.name === 'string' ? chart.name : undefined,
      dependencies: (dependencies ?? []).flatMap(({ name, repository }) =>
        typeof name === 'string'
          ? { name, folder: typeof repository === 'string' ? localFolder(folder, repository) : undefined }
          : [],
      ),
    }
  } catch {
    return { name: undefined, dependencies: [] }
  }
}

const localFolder = (chart: string, repository: string): string | undefined =>
  repository.startsWith('file://') ? resolve(chart, repository.slice('file://'.length)) : undefined

/** Names of what a chart depends on and does not hold. */
export async function missingDependencies(folder: string, dependencies: readonly ChartDependency[]): Promise<readonly string[]> {
  const held = await readdir(join(folder, 'charts')).catch(() => [])
  return dependencies
    .map(({ name }) => name)
    .filter((name) => !held.some((entry) => entry === name || (entry.startsWith(`${name}-`) && entry.endsWith('.tgz'))))
}

/** A chart and all charts of this machine that it depends on, each before those that need it. */
export async function chartFolders(folder: string): Promise<readonly string[]> {
  const order: string[] = []
  const seen = new Set<string>()
  const visit = async (at: string): Promise<void> => {
    if (seen.has(at)) return
    seen.add(at)
    const { dependencies } = await readChart(at)
    for (const { folder: needed } of dependencies) if (needed !== undefined) await visit(needed)
    order.push(at)
  }
  await visit(folder)
  return order
}

export async function helmInputs(spec: HelmSpec | ReleaseSpec): Promise<readonly RenderInput[]> {
  const files = spec.values.flatMap((one) => ('file' in one ? [{ root: one.file, except: [] }] : []))
  if (!('path' in spec.chart)) return files
  const charts = await Promise.all(
    (await chartFolders(spec.chart.path)).map(async (root): Promise<RenderInput> => {
      const { dependencies } = await readChart(root)
      // archives that `helm dependency build` makes from what is watched itself, each time with other bytes
      const made = spec.dependencies ? dependencies.map(({ name }) => `charts/${name}-*.tgz`) : []
      return { root, except: ['tmpcharts*', 'charts/tmpcharts*', ...made] }
    }),
  )
  return [...charts, ...files]
}
