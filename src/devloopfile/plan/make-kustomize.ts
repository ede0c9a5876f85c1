// Kustomizations: a declared one becomes the specification in the plan. What it reads is looked at when it is built, not at load.
import { access, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { KustomizeSpec } from '../../model/plan.js'
import type { KustomizeOptions } from '../api/types.js'
import type { DeclaredResource } from '../declaration.js'
import { dnsLabel, options, readiness, string, strings, type Subject } from './fields.js'
import { makeForward } from './make-forward.js'
import { makeImageUse } from './make-image-use.js'
import { graphKnown, makeGraph } from './make-graph.js'
import type { Needs } from './make-needs.js'
import { called } from './names.js'
import type { PlanWork } from './work.js'

const known: Record<keyof KustomizeOptions, true> = {
  images: true,
  imageFields: true,
  imageEnv: true,
  forward: true,
  flags: true,
  readiness: true,
  ...graphKnown,
}

/** The names that kustomize looks for. */
const fileNames = ['kustomization.yaml', 'kustomization.yml', 'Kustomization']

export async function makeKustomize(work: PlanWork, resource: DeclaredResource, needs: Needs): Promise<KustomizeSpec> {
  const subject: Subject = { name: called('kustomize', resource.name), at: resource.at, problems: work.problems }
  const given = options(subject, '', resource.options, known)
  const named = string(subject, 'folder', resource.source, 'required')
  const folder = resolve(dirname(resource.at.file), named ?? '.')
  if (named !== undefined) await checkFolder(work, subject, named, folder)
  return {
    kind: 'kustomize',
    name: dnsLabel(subject, 'name', resource.name) ?? '',
    folder,
    flags: strings(subject, 'flags', given.flags) ?? [],
    ...makeImageUse(work, subject, given),
    ...makeGraph(subject, given, needs),
    forward: makeForward(subject, 'forward', given.forward),
    ...readiness(subject, 'readiness', given.readiness),
    at: resource.at,
  }
}

async function checkFolder(work: PlanWork, subject: Subject, named: string, folder: string): Promise<void> {
  const report = (message: string, why: string, help: string): void =>
    work.problems.add('devloopfile/file', { message: `${subject.name}: ${message}`, why, at: subject.at, help })
  const found = await stat(folder).catch(() => undefined)
  if (!found) {
    work.files.add(folder)
    const help = 'Correct the path: it is relative to the file that this call stands in.'
    report(`there is no folder '${named}'.`, `It was looked for at ${folder}.`, help)
  } else if (!found.isDirectory()) {
    report(`'${named}' is no folder.`, `It is at ${folder}.`, 'Name the folder that the kustomization.yaml is in.')
  } else {
    for (const name of fileNames) {
      if (
        await access(join(folder, name)).then(
          () => true,
          () => false,
        )
      )
        return
    }
    for (const name of fileNames) work.files.add(join(folder, name))
    report(
      `the folder '${named}' holds no kustomization.`,
      `Looked for were ${fileNames.join(', ')} in ${folder}.`,
      'Correct the path, or use `manifests` for plain files.',
    )
  }
}
