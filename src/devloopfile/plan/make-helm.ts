// Helm charts: a declared one becomes the specification in the plan. What the chart holds is looked at when it is rendered, not at load.
import { stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { HelmSpec } from '../../model/plan.js'
import type { HelmOptions, ReleaseOptions } from '../api/types.js'
import type { DeclaredResource, Encoded } from '../declaration.js'
import { broken, dnsLabel, integer, options, readiness, record, string, strings, wrong, type Subject } from './fields.js'
import { makeForward } from './make-forward.js'
import { makeImageUse } from './make-image-use.js'
import { plain } from './make-manifests.js'
import { graphKnown, makeGraph } from './make-graph.js'
import type { Needs } from './make-needs.js'
import { called } from './names.js'
import type { PlanWork } from './work.js'

const known: Record<keyof HelmOptions, true> = {
  chart: true,
  repo: true,
  version: true,
  plainHttp: true,
  values: true,
  set: true,
  releaseName: true,
  address: true,
  namespace: true,
  kubeVersion: true,
  apiVersions: true,
  crds: true,
  dependencies: true,
  release: true,
  images: true,
  imageFields: true,
  imageEnv: true,
  forward: true,
  readiness: true,
  ...graphKnown,
}

export async function makeHelm(work: PlanWork, resource: DeclaredResource, needs: Needs): Promise<HelmSpec> {
  const subject: Subject = { name: called('helm', resource.name), at: resource.at, problems: work.problems }
  const given = options(subject, '', resource.options, known)
  const name = dnsLabel(subject, 'name', resource.name) ?? ''
  const base = dirname(resource.at.file)
  const namespace = given.namespace === undefined ? undefined : dnsLabel(subject, 'namespace', given.namespace)
  const kubeVersion = string(subject, 'kubeVersion', given.kubeVersion)
  const releaseName = given.releaseName === undefined ? undefined : dnsLabel(subject, 'releaseName', given.releaseName)
  const release = makeRelease(subject, given.release)
  if (releaseName !== undefined && release?.name !== undefined && release.name !== releaseName) {
    const why = `They are '${releaseName}' and '${release.name}'.`
    broken(subject, '`releaseName` and `release.name` say two names for one release.', why, 'Leave one of them out.')
  }
  return {
    kind: 'helm',
    name,
    chart: await makeChart(work, subject, base, given),
    releaseName: release?.name ?? releaseName ?? name,
    ...makeAddress(subject, given.address),
    ...(namespace === undefined ? {} : { namespace }),
    values: await makeValues(work, subject, base, given.values),
    set: makeSet(subject, given.set),
    ...(kubeVersion === undefined ? {} : { kubeVersion }),
    apiVersions: strings(subject, 'apiVersions', given.apiVersions) ?? [],
    crds: boolean(subject, 'crds', given.crds) ?? true,
    dependencies: boolean(subject, 'dependencies', given.dependencies) ?? true,
    ...(release === undefined ? {} : { release: { timeoutMs: release.timeoutMs } }),
    ...makeImageUse(work, subject, given),
    ...makeGraph(subject, given, needs),
    forward: makeForward(subject, 'forward', given.forward),
    ...readiness(subject, 'readiness', given.readiness),
    at: resource.at,
  }
}

/** `SERVICE:PORT`, or a name of another namespace such as `db.shared:5432`. */
function makeAddress(subject: Subject, value: Encoded): Pick<HelmSpec, 'address'> {
  if (value === undefined) return {}
  const [, host, port] = /^([a-z0-9](?:[-.a-z0-9]*[a-z0-9])?):(\d{1,5})$/.exec(typeof value === 'string' ? value : '') ?? []
  const number = Number(port)
  if (host !== undefined && number > 0 && number < 65_536) return { address: { host, port: number } }
  wrong(subject, 'address', "a Service and its port, such as 'redis-master:6379'", value)
  return {}
}

const releaseKnown: Record<keyof ReleaseOptions, true> = { name: true, timeout: true }

/** Undefined = it is no release of Helm's. */
function makeRelease(
  subject: Subject,
  value: Encoded,
): { readonly name: string | undefined; readonly timeoutMs: number } | undefined {
  if (value === undefined || value === false) return undefined
  if (value !== true && !record(value)) return wrong(subject, 'release', 'true, false or an object', value)
  const given = options(subject, 'release', value === true ? {} : value, releaseKnown)
  return {
    name: given.name === undefined ? undefined : dnsLabel(subject, 'release.name', given.name),
    timeoutMs: (integer(subject, 'release.timeout', given.timeout, 1, 86_400) ?? 300) * 1000,
  }
}

async function makeChart(
  work: PlanWork,
  subject: Subject,
  base: string,
  given: Partial<Record<keyof HelmOptions, Encoded>>,
): Promise<HelmSpec['chart']> {
  const chart = string(subject, 'chart', given.chart, 'required') ?? ''
  const repo = string(subject, 'repo', given.repo)
  const version = string(subject, 'version', given.version)
  if (repo !== undefined && !/^(?:https?|file):\/\//.test(repo)) {
    const help = repo.startsWith('oci://')
      ? `Give the whole address as \`chart: '${repo}/${chart}'\`, without \`repo\`.`
      : 'Write `https://...`.'
    wrong(subject, 'repo', 'the address of a chart repository', repo, help)
  }
  const plainHttp = boolean(subject, 'plainHttp', given.plainHttp) ?? false
  if (plainHttp && !chart.startsWith('oci://'))
    broken(subject, '`plainHttp` is for charts of a registry (`oci://...`).', undefined, 'Remove it.')
  if (repo !== undefined || chart.includes('://')) {
    const from = repo === undefined ? {} : { repo }
    return { name: chart, ...from, ...(version === undefined ? {} : { version }), ...(plainHttp ? { plainHttp } : {}) }
  }
  if (version !== undefined)
    broken(
      subject,
      '`version` is for charts of a repository: a local chart has its own.',
      undefined,
      'Remove it, or give `repo`.',
    )
  const path = resolve(base, chart)
  const found = chart === '' ? undefined : await stat(path).catch(() => undefined)
  const inside = found?.isDirectory() ? await stat(resolve(path, 'Chart.yaml')).catch(() => undefined) : found
  if (chart === '' || inside) return { path }
  work.files.add(found ? resolve(path, 'Chart.yaml') : path)
  work.problems.add('devloopfile/file', {
    message: found
      ? `${subject.name}: the folder '${chart}' is no chart: it has no Chart.yaml.`
      : `${subject.name}: there is no chart '${chart}'.`,
    why: `It was looked for at ${path}.`,
    at: subject.at,
    help: 'Correct the path: it is relative to the file that this call stands in. For a chart of a repository, give its address as `repo`.',
  })
  return { path }
}

async function makeValues(work: PlanWork, subject: Subject, base: string, value: Encoded): Promise<HelmSpec['values']> {
  const list = value === undefined ? [] : Array.isArray(value) ? (value as readonly Encoded[]) : [value]
  const values: HelmSpec['values'][number][] = []
  for (const [index, item] of list.entries()) {
    const path = Array.isArray(value) ? `values[${index}]` : 'values'
    if (typeof item === 'string' && item !== '') {
      const file = resolve(base, item)
      if (!(await stat(file).catch(() => undefined))?.isFile()) {
        work.files.add(file)
        work.problems.add('devloopfile/file', {
          message: `${subject.name}: there is no file '${item}' for \`${path}\`.`,
          why: `It was looked for at ${file}.`,
          at: subject.at,
          help: 'Correct the path: it is relative to the file that this call stands in.',
        })
      }
      values.push({ file })
    } else if (record(item)) {
      values.push({ inline: plain(subject, path, item) as Readonly<Record<string, unknown>> })
    } else {
      wrong(subject, path, 'the path of a file, or an object', item ?? null)
    }
  }
  return values
}

function makeSet(subject: Subject, value: Encoded): HelmSpec['set'] {
  if (value === undefined) return {}
  const given = record(value)
  if (!given) {
    wrong(subject, 'set', "an object such as { 'image.tag': 'v1' }", value)
    return {}
  }
  const entries = Object.entries(given).flatMap(([key, item]): [string, string | number | boolean][] => {
    if (typeof item === 'string' || typeof item === 'number' || typeof item === 'boolean') return [[key, item]]
    if (item !== undefined)
      wrong(subject, `set.${key}`, 'a string, number or boolean', item, 'Lists and objects go into `values`.')
    return []
  })
  return Object.fromEntries(entries)
}

function boolean(subject: Subject, path: string, value: Encoded): boolean | undefined {
  return value === undefined || typeof value === 'boolean' ? value : wrong(subject, path, 'true or false', value)
}
