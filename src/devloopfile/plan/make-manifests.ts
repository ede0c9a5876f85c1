// Kubernetes objects of the user's own: one resource, or one for each workload and one for the rest.
import { dirname } from 'node:path'
import type { ManifestObject, ManifestsSpec } from '../../model/plan.js'
import type { ManifestsOptions, WorkloadOptions } from '../api/types.js'
import { isMark, type DeclaredResource, type Encoded } from '../declaration.js'
import { didYouMean, listed } from '../../errors/did-you-mean.js'
import { broken, dnsLabel, options, readiness, record, wrong, type Subject } from './fields.js'
import { makeForward } from './make-forward.js'
import { checkImagesUsed, makeImageUse, usesImage } from './make-image-use.js'
import { lackOf } from '../../model/parse-manifests.js'
import { manifestFiles } from './manifest-files.js'
import { graphKnown, makeGraph } from './make-graph.js'
import { called } from './names.js'
import type { Needs } from './make-needs.js'
import type { PlanWork } from './work.js'

const known: Record<keyof ManifestsOptions, true> = {
  images: true,
  imageFields: true,
  imageEnv: true,
  forward: true,
  workloads: true,
  readiness: true,
  ...graphKnown,
}
const workloadKnown: Record<keyof WorkloadOptions, true> = { forward: true, readiness: true, ...graphKnown }

const workloadKinds: Readonly<Record<string, readonly string[]>> = {
  apps: ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet'],
  batch: ['Job', 'CronJob'],
  '': ['Pod'],
}

const isWorkload = ({ object }: ManifestObject): boolean => {
  const group = object.apiVersion.includes('/') ? object.apiVersion.slice(0, object.apiVersion.indexOf('/')) : ''
  return workloadKinds[group]?.includes(object.kind) ?? false
}

export async function makeManifests(work: PlanWork, resource: DeclaredResource, needs: Needs): Promise<readonly ManifestsSpec[]> {
  const subject: Subject = { name: called('manifests', resource.name), at: resource.at, problems: work.problems }
  const given = options(subject, '', resource.options, known)
  const name = dnsLabel(subject, 'name', resource.name) ?? ''
  const objects = await makeObjects(work, subject, resource)
  const use = makeImageUse(work, subject, given)
  const { images, ...places } = use
  checkImagesUsed(
    subject,
    use,
    objects.map(({ object }) => object),
  )
  const base = {
    kind: 'manifests',
    name,
    ...makeGraph(subject, given, needs),
    ...readiness(subject, 'readiness', given.readiness),
    at: resource.at,
  } as const
  const { workloads } = given
  if (workloads === undefined || workloads === false) {
    return [{ ...base, forward: makeForward(subject, 'forward', given.forward), objects, ...use }]
  }
  if (given.forward !== undefined) {
    broken(subject, '`forward` does not say for which workload.', undefined, 'Write workloads: { name: { forward: ... } }.')
  }
  const settings = workloads === true ? {} : record(workloads)
  if (!settings) wrong(subject, 'workloads', 'true, or an object with settings by workload name', workloads)
  const found = objects.filter(isWorkload)
  const names = found.map(({ object }) => object.metadata.name)
  for (const key of Object.keys(settings ?? {})) {
    if (names.includes(key)) continue
    const why = names.length > 0 ? `Workloads: ${listed(names)}.` : 'There is no workload in the manifests.'
    broken(subject, `there is no workload '${key}'.`, why, didYouMean(key, names) ?? 'Correct the name, or remove it.')
  }
  const split = found.map((entry): ManifestsSpec => {
    const own = entry.object.metadata.name
    const path = `workloads.${own}`
    const value = settings?.[own]
    const { forward, readiness: ignored, ...graph } = value === undefined ? {} : options(subject, path, value, workloadKnown)
    return {
      ...base,
      ...makeGraph(subject, graph, needs, path, base),
      name: own,
      forward: makeForward(subject, `${path}.forward`, forward),
      ...readiness(subject, `${path}.readiness`, ignored),
      objects: [entry],
      images: images.filter((image) => usesImage(entry.object, use, image)),
      ...places,
    }
  })
  const rest = objects.filter((entry) => !isWorkload(entry))
  if (rest.length === 0) return split
  return [
    {
      ...base,
      forward: [],
      objects: rest,
      images: images.filter((image) => rest.some((entry) => usesImage(entry.object, use, image))),
      ...places,
    },
    ...split,
  ]
}

async function makeObjects(
  work: PlanWork,
  subject: Subject,
  { source, at }: DeclaredResource,
): Promise<readonly ManifestObject[]> {
  const sources = (Array.isArray(source) ? source : [source]) as readonly Encoded[]
  if (sources.length === 0) wrong(subject, 'source', 'a glob, an object, or an array of them', source)
  const objects: ManifestObject[] = []
  const files = new Set<string>()
  for (const [index, item] of sources.entries()) {
    if (typeof item === 'string' && item !== '') {
      for (const file of await manifestFiles(work, subject, item, dirname(at.file))) {
        if (files.has(file)) continue
        files.add(file)
        objects.push(...(await readObjects(work, subject, file)))
      }
    } else if (record(item)) {
      objects.push(...inlineObjects(subject, plain(subject, Array.isArray(source) ? `source[${index}]` : 'source', item)))
    } else {
      wrong(subject, Array.isArray(source) ? `source[${index}]` : 'source', 'a glob or an object', item)
    }
  }
  return objects
}

async function readObjects(work: PlanWork, subject: Subject, file: string): Promise<readonly ManifestObject[]> {
  work.files.add(file)
  try {
    const { objects, problems } = await work.manifests.read(file)
    for (const { code, ...problem } of problems) work.problems.add(code, problem)
    return objects
  } catch (error) {
    work.problems.add('devloopfile/file', {
      message: `${subject.name}: ${file} cannot be read.`,
      why: (error as Error).message,
      at: subject.at,
    })
    return []
  }
}

function inlineObjects(subject: Subject, value: unknown): readonly ManifestObject[] {
  const lack = lackOf(value)
  if (lack) {
    broken(subject, `an inline object is no Kubernetes object: ${lack}.`)
    return []
  }
  const object = value as ManifestObject['object']
  if (object.kind.endsWith('List') && Array.isArray(object.items))
    return (object.items as unknown[]).flatMap((item) => inlineObjects(subject, item))
  return [{ object }]
}

/** Plain data without what JSON does not have. */
export function plain(subject: Subject, path: string, value: Encoded): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (isMark(value)) {
    const help =
      value.$devloop === 'image'
        ? "Write its name, and list it in the manifests' `images`."
        : 'Texts are for the `env` of an app.'
    return wrong(subject, path, 'plain data', value, help)
  }
  if (Array.isArray(value)) return (value as readonly Encoded[]).map((item, index) => plain(subject, `${path}[${index}]`, item))
  const entries = Object.entries(value).filter(([, item]) => item !== undefined)
  return Object.fromEntries(entries.map(([key, item]) => [key, plain(subject, `${path}.${key}`, item as Encoded)]))
}
