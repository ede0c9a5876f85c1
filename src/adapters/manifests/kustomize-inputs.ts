// What a kustomization reads, found by reading it: every text in it that may be a path is taken for one, since a file too many is
// harmless and one too few is a save that nobody sees.
import { readdir, readFile, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { parseAllDocuments } from 'yaml'
import type { RenderInput } from '../../ports/manifest-renderer.js'

const fileNames = ['kustomization.yaml', 'kustomization.yml', 'Kustomization']

/** Fields of a kustomization whose texts are no paths, however they look. */
const noPaths = new Set([
  'apiVersion',
  'kind',
  'namespace',
  'namePrefix',
  'nameSuffix',
  'images',
  'labels',
  'commonLabels',
  'commonAnnotations',
  'literals',
  'patch',
  'target',
  'vars',
  'replicas',
  'buildMetadata',
  'sortOptions',
  'metadata',
])

/** Files and folders, none twice. @param folder of the kustomization; it need not exist */
export async function kustomizeInputs(folder: string): Promise<readonly RenderInput[]> {
  const found = new Set<string>()
  const visited = new Set<string>()
  const visit = async (at: string): Promise<void> => {
    if (visited.has(at)) return
    visited.add(at)
    for (const name of fileNames) {
      const file = join(at, name)
      const text = await readFile(file, 'utf8').catch(() => undefined)
      // all names: another one may come and take the place
      found.add(file)
      if (text !== undefined) for (const path of pathsIn(text)) await take(at, path)
    }
  }
  const take = async (base: string, path: string): Promise<void> => {
    const target = resolve(base, path)
    const status = await stat(target).catch(() => undefined)
    if (!status?.isDirectory()) {
      found.add(target)
      return
    }
    const names = await readdir(target).catch(() => [])
    if (names.some((name) => fileNames.includes(name))) await visit(target)
    // such as the charts that helmCharts names
    else found.add(target)
  }
  await visit(folder)
  // a file in a folder that is there as a whole needs no watch of its own
  const roots = [...found].filter((path) => !hasAbove(found, path)).sort()
  return roots.map((root) => ({ root, except: [] }))
}

function hasAbove(all: ReadonlySet<string>, path: string): boolean {
  for (let above = dirname(path); above !== dirname(above); above = dirname(above)) if (all.has(above)) return true
  return false
}

function pathsIn(text: string): readonly string[] {
  const paths: string[] = []
  const collect = (value: unknown): void => {
    if (typeof value === 'string') {
      if (isPath(value)) paths.push(value)
      // of configMapGenerator and secretGenerator: `key=file`
      const named = /^[^=\s/]+=(.+)$/s.exec(value)?.[1]
      if (named && isPath(named)) paths.push(named)
    } else if (Array.isArray(value)) value.forEach(collect)
    else if (typeof value === 'object' && value !== null)
      for (const [key, item] of Object.entries(value)) if (!noPaths.has(key)) collect(item)
  }
  try {
    for (const document of parseAllDocuments(text, { logLevel: 'silent' })) collect(document.toJS())
  } catch {
    // the build tells what is wrong with it
  }
  return paths
}

const isPath = (text: string): boolean =>
  text !== '' && !text.includes('\n') && text.length < 1000 && !/^[a-z+]+:\/\//i.test(text) && !/^[^/]+@[^/]+:/.test(text)
