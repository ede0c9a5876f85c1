// From the YAML that a tool printed to objects.
import { isMap, isSeq, LineCounter, parseAllDocuments } from 'yaml'
import { DevloopError, type SourcePosition } from '../../errors/devloop-error.js'
import { parseManifests } from '../../model/parse-manifests.js'
import type { ManifestObject } from '../../model/plan.js'

/**
 * @param placeOf where the object comes from that begins at a line of the text
 * @throws DevloopError render/failed for what is no Kubernetes object
 */
export function parseOutput(text: string, what: string, placeOf: (line: number) => SourcePosition): readonly ManifestObject[] {
  const { objects, problems } = parseManifests(text, '', { isMap, isSeq, LineCounter, parseAllDocuments })
  const [problem] = problems
  if (problem) {
    throw new DevloopError('render/failed', `${what} gives something that is no Kubernetes object.`, {
      why: [problem.message, problem.why, excerpt(text, problem.at.line)].filter(Boolean).join('\n'),
      where: placeOf(problem.at.line),
    })
  }
  return objects.map(({ object, at }) => ({ object, at: placeOf(at?.line ?? 1) }))
}

const excerpt = (text: string, line: number): string =>
  text
    .split('\n')
    .slice(Math.max(0, line - 2), line + 2)
    .join('\n')
