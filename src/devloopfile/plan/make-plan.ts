// From a declaration to a plan: checked, complete, frozen.
import { dirname } from 'node:path'
import type { ErrorInfo } from '../../errors/devloop-error.js'
import { addressedOf, type ImageSpec, type Plan, type ResourceSpec, type SealedTexts } from '../../model/plan.js'
import type { Project } from '../api/types.js'
import { isMark, type Declaration, type DeclaredResource, type Encoded } from '../declaration.js'
import type { InputGlob } from '../inputs.js'
import { checkLocalPorts, checkNames, checkNeeds } from './check-resources.js'
import { deepFreeze } from './deep-freeze.js'
import { describeValue } from './describe-value.js'
import { broken, dnsLabel, options, record, wrong, type Subject } from './fields.js'
import { makeApp } from './make-app.js'
import { checkAttached, makeAttach } from './make-attach.js'
import { configNeeds } from './config-needs.js'
import { makeConfig } from './make-config.js'
import { makeCustom } from './make-custom.js'
import { makeHelm } from './make-helm.js'
import { makeKustomize } from './make-kustomize.js'
import { makeCluster } from './make-cluster.js'
import { makeImage } from './make-image.js'
import { makeLocal } from './make-local.js'
import { makeManifests } from './make-manifests.js'
import { ownDebugPorts } from './make-debug.js'
import { checkPulledRestarts } from './make-pulled.js'
import { ownVolumes } from './own-volumes.js'
import { makeSettings } from './make-settings.js'
import { needServices } from './need-services.js'
import { createNeeds, resolveNeeds, type Needs } from './make-needs.js'
import type { ManifestCache } from './manifest-cache.js'
import { createProblems } from './problems.js'
import { createSeal } from './seal.js'
import type { Made, PlanWork } from './work.js'

export type MadePlan = { readonly files: ReadonlySet<string>; readonly globs: readonly InputGlob[] } & (
  | { readonly ok: true; readonly plan: Plan; readonly sealed: SealedTexts }
  | { readonly ok: false; readonly errors: readonly ErrorInfo[] }
)

const known: Record<keyof Project, true> = { name: true, cluster: true, settings: true, resources: true }

/** @param file the Devloopfile */
export async function makePlan(declaration: Declaration, file: string, manifests: ManifestCache): Promise<MadePlan> {
  const problems = createProblems()
  const work: PlanWork = {
    declaration,
    problems,
    manifests,
    files: new Set(),
    globs: [],
    later: [],
    attached: [],
    sealed: createSeal(),
  }
  const subject: Subject = { name: 'The Devloopfile', at: declaration.at, problems }
  const { files, globs } = work

  if (!record(declaration.project)) {
    broken(
      subject,
      'its function must return an object with name and resources.',
      `Received ${describeValue(declaration.project)}.`,
      'Write: return { name, resources: [...] }',
    )
    return { ok: false, errors: problems.list(), files, globs }
  }
  const given = options(subject, '', declaration.project, known)
  const name = dnsLabel(subject, 'name', given.name)
  const cluster = makeCluster(subject, given.cluster)
  const settings = makeSettings(subject, given.settings)
  const listed = checkListed(subject, given.resources)

  const declared = await Promise.all(declaration.images.map((image) => makeImage(work, image)))
  const needs = createNeeds(work)
  const made = await Promise.all(declaration.resources.map((resource) => makeResource(work, resource, needs)))
  const images = [...declared.filter((image) => image !== undefined), ...work.attached]
  const all = collectMade(declaration, made)
  for (const check of work.later) check(all)

  // Those that `resources` lists come first; what they only refer to comes along behind.
  const order = [...new Set([...listed, ...declaration.resources.keys()])]
  const resources = order
    .flatMap((index) => made[index] ?? [])
    .map((spec): ResourceSpec => ({
      ...spec,
      needs: resolveNeeds(spec.needs, all),
      rebuildAfter: resolveNeeds(spec.rebuildAfter, all),
    }))
    .map(needServices(made.flat()))
    .map(configNeeds(made.flat()))
    .map(ownVolumes())
    .map(ownDebugPorts(made.flat()))
  const byName = new Map(resources.map((spec) => [spec.name, spec]))
  checkNames(problems, 'images', images)
  checkNames(problems, 'resources', resources)
  checkNeeds(problems, byName)
  checkLocalPorts(problems, resources)
  checkPulledRestarts(problems, images, resources)
  checkAttached(problems, resources, cluster.namespace)

  const errors = problems.list()
  if (errors.length > 0 || name === undefined) return { ok: false, errors, files, globs }
  const plan: Plan = {
    name,
    file,
    root: dirname(file),
    cluster,
    settings,
    ...(Object.keys(declaration.choices ?? {}).length > 0 ? { choices: declaration.choices } : {}),
    images: Object.fromEntries(images.map((image): [string, ImageSpec] => [image.name, image])),
    resources: Object.fromEntries(byName),
  }
  return { ok: true, plan: deepFreeze(plan), sealed: work.sealed.texts(), files, globs }
}

async function makeResource(work: PlanWork, resource: DeclaredResource, needs: Needs): Promise<readonly ResourceSpec[]> {
  switch (resource.type) {
    case 'app':
      return [await makeApp(work, resource, needs)]
    case 'config':
    case 'secret':
      return [await makeConfig(work, resource, needs)]
    case 'local':
      return [await makeLocal(work, resource, needs)]
    case 'kustomize':
      return [await makeKustomize(work, resource, needs)]
    case 'helm':
      return [await makeHelm(work, resource, needs)]
    case 'custom':
      return [await makeCustom(work, resource, needs)]
    case 'attach':
      return [await makeAttach(work, resource, needs)]
    case 'manifests':
      return makeManifests(work, resource, needs)
  }
}

/** Indexes of the resources that the project lists. */
function checkListed(subject: Subject, value: Encoded): readonly number[] {
  if (!Array.isArray(value)) {
    wrong(subject, 'resources', 'an array of resources', value)
    return []
  }
  return (value as readonly Encoded[]).flatMap((item, index) => {
    if (item === false || item === null || item === undefined) return []
    if (isMark(item) && item.$devloop === 'resource') return [item.index]
    const help =
      isMark(item) && item.$devloop === 'image'
        ? "Images need no listing: name it as an app's `image`, or in `images` of manifests."
        : undefined
    wrong(
      subject,
      `resources[${index}]`,
      'a resource: what app, config, secret, manifests, kustomize, helm, custom, attach or local gave',
      item,
      help,
    )
    return []
  })
}

function collectMade({ resources }: Declaration, made: readonly (readonly ResourceSpec[])[]): Made {
  const names = new Map<number, readonly string[]>()
  const byName = new Map<string, readonly string[]>()
  const ports = new Map<string, readonly string[]>()
  const forwarded = new Map<string, readonly string[]>()
  const configKeys = new Map<string, readonly string[]>()
  for (const [index, specs] of made.entries()) {
    const own = specs.map((spec) => spec.name)
    names.set(index, own)
    for (const spec of specs) {
      byName.set(spec.name, [spec.name])
      if (spec.kind === 'config' && spec.sources.every((source) => source.kind === 'values'))
        configKeys.set(
          spec.name,
          spec.sources.flatMap(({ values }) => Object.keys(values)),
        )
      const addressed = addressedOf(spec)
      if (addressed) ports.set(spec.name, Object.keys(addressed.ports))
      if (spec.kind !== 'app') continue
      forwarded.set(
        spec.name,
        spec.forward.map(({ port }) => String(port)),
      )
    }
    const group = resources[index]?.name
    if (typeof group === 'string') byName.set(group, own)
  }
  return { names, byName, ports, forwarded, configKeys }
}
