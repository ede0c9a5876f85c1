// From what a chart gives to what Helm applies: built images, labels and restart wrappers put in. Pure.
import { isMap, isSeq, LineCounter, parseAllDocuments, stringify } from 'yaml'
import { DevloopError, type ErrorInfo } from '../../../errors/devloop-error.js'
import { parseManifests } from '../../../model/parse-manifests.js'
import type { KubeObject, ReleaseSpec } from '../../../model/plan.js'
import type { KindLookup } from '../deploy/kinds.js'
import { renderManifests, type RenderManifestsInput } from '../deploy/render-manifests.js'
import { lackingAgent, type Rendered } from '../deploy/rendered.js'
import { keepAnnotation } from '../labels.js'

export interface FinishedRelease {
  /** YAML documents. */
  readonly manifest: string
  /** Without hooks. */
  readonly objects: readonly KubeObject[]
  /** As Deployed.templates. */
  readonly templates: readonly string[]
  readonly warnings: readonly ErrorInfo[]
  /** Why the agent is not where it should be; undefined = it is. */
  readonly lacking: string | undefined
}

export type FinishInput = Pick<
  RenderManifestsInput,
  'owner' | 'namespace' | 'images' | 'restartable' | 'pullSecrets' | 'agentOf'
> & {
  readonly spec: ReleaseSpec
}

const policyAnnotation = 'helm.sh/resource-policy'

/** What is never deleted without being asked: what holds data, or what others may have put something into. */
const kept = new Set(['PersistentVolumeClaim', 'PersistentVolume', 'Namespace'])

export const isHook = ({ metadata }: KubeObject): boolean => metadata.annotations?.['helm.sh/hook'] !== undefined

/** Whether Helm leaves an object there when it uninstalls or prunes. */
export const isKept = ({ metadata }: KubeObject): boolean => metadata.annotations?.[policyAnnotation] === 'keep'

/** The namespace of what names none is Helm's affair. */
const anyKind: KindLookup = ({ apiVersion, kind }) => ({ apiVersion, kind, plural: '', namespaced: false })

/** The objects of YAML documents that Helm printed. @throws DevloopError release/failed */
export function releaseObjects(manifest: string, what: string): readonly KubeObject[] {
  const { objects, problems } = parseManifests(manifest, '', { isMap, isSeq, LineCounter, parseAllDocuments })
  const [problem] = problems
  if (!problem) return objects.map(({ object }) => object)
  const why = [problem.message, problem.why].filter(Boolean).join('\n')
  throw new DevloopError('release/failed', `${what} holds something that is no Kubernetes object.`, { why })
}

/** @throws DevloopError devloopfile/invalid, release/failed */
export function finishRelease(manifest: string, input: FinishInput): FinishedRelease {
  const { objects, warnings } = finishObjects(releaseObjects(manifest, `The release ${input.spec.releaseName}`), input)
  for (const { object } of objects) {
    if (isHook(object) || (!kept.has(object.kind) && object.metadata.annotations?.[keepAnnotation] !== 'true')) continue
    object.metadata.annotations = { ...object.metadata.annotations, [policyAnnotation]: 'keep' }
  }
  const installed = objects.filter(({ object }) => !isHook(object))
  return {
    manifest: objects.map(({ object }) => `---\n${yaml(object)}`).join(''),
    objects: installed.map(({ object }) => object),
    templates: [...new Set(installed.flatMap(({ template }) => template ?? []))],
    warnings,
    lacking: lackingAgent(objects),
  }
}

/** The objects of a chart with all that devloop puts into them. @throws DevloopError devloopfile/invalid */
export const finishObjects = (given: readonly KubeObject[], { spec, ...input }: FinishInput): Rendered =>
  renderManifests({
    ...input,
    manifests: { ...spec, objects: given.map((object) => ({ object, at: spec.at })) },
    kindOf: anyKind,
    // a hook is over before anything could be synced into it
    isLeftAlone: isHook,
  })

/** YAML as Kubernetes reads it (1.1): there a plain `on` is no text. */
const yaml = (object: KubeObject): string => stringify(object, { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false })
