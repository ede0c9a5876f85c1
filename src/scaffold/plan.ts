// From a source tree to what is to be written: components, the services that they need, and how they know each other. Pure.
import type { Bases } from './bases.js'
import type { Ask, Detector, Finding, Found, Question } from './component.js'
import { generatedMark } from './dockerfile-text.js'
import { detectors as all } from './detectors.js'
import { variablesOf, type Variable } from './environment.js'
import { readDockerfile } from './existing-dockerfile.js'
import { readPackage } from './kinds/node-package.js'
import { findExisting, isServiceImage, type Existing } from './existing.js'
import { wire } from './links.js'
import type { Component, EnvValue, InitPlan } from './plan-types.js'
import { serviceSigns, valueOf, type ServiceKind } from './service-signs.js'
import { servicesOf, sharedServices, type ServiceNeed } from './services.js'
import { inFolder, isWithin, type SourceTree } from './source-tree.js'

export interface PlanOptions {
  readonly tree: SourceTree
  /** Name of the root folder: the project's, where the sources have none. */
  readonly rootName: string
  readonly bases: Bases
  /** Answers to questions, by their id. */
  readonly answers?: ReadonlyMap<string, string>
  readonly detectors?: readonly Detector[]
}

/** A component before it is known what the others are. */
interface Draft extends Component {
  readonly variables: readonly Variable[]
}

/** Folders that hold no part of the product. */
const besideTheProduct =
  /(^|\/)(tests?|__tests__|spec|e2e|fixtures?|examples?|samples?|docs?|documentation|scripts?|tools?|testdata|benchmarks?|templates?|k8s|kubernetes|manifests|helm|charts?|deploy|deployments?|infra|terraform|migrations?)(\/|$)/

/** Names of Dockerfiles' folders that say where it lies, not what it builds. */
const folderForDockerfiles = /(^|\/)\.?(docker|build|ci|devcontainer|deploy)$/

export function planInit({ tree, rootName, bases, answers = new Map(), detectors = all }: PlanOptions): InitPlan {
  const questions: InitPlan['questions'][number][] = []
  const ask: Ask = (question) => {
    const answer = answerTo(question, answers)
    if (!questions.some(({ id }) => id === question.id)) questions.push({ ...question, answer })
    return answer
  }
  const existing = findExisting(tree)
  const found = findComponents(tree, bases, ask, detectors)
  const atRoot = found.find(({ folder }) => folder === '')?.found ?? []
  const project = slug((atRoot.length === 1 ? atRoot[0]?.name : undefined) ?? readPackage(tree, '')?.name ?? rootName)
  const drafts = nameComponents(found, project).map(({ name, folder, found: one }) =>
    draft(tree, existing, { name, folder, found: one, project, ask }),
  )
  const locals = localPorts(drafts)
  const withPorts = shareServices(drafts).map((one, i) => ({ ...one, ...(locals[i] === undefined ? {} : { local: locals[i] }) }))
  const components = withoutCircles(
    withPorts.map(({ variables, ...one }): Component => {
      const { env, unknown } = wire(one, withPorts, variables)
      return { ...one, env: { ...one.env, ...env }, unknown }
    }),
  )
  const apart = components.filter(({ runsBy }) => runsBy === undefined)
  return { project, components, services: sharedServices(apart), existing, questions, notes: notesOf(tree, existing, components) }
}

const answerTo = ({ id, choices, fallback }: Question, answers: ReadonlyMap<string, string>): string => {
  const given = answers.get(id)
  return given !== undefined && (choices.length === 0 || choices.some(({ value }) => value === given)) ? given : fallback
}

interface FoundIn {
  readonly folder: string
  readonly found: readonly Found[]
}

/** What each folder holds: the first kind that finds something in it. A site of plain files below another component belongs to that. */
function findComponents(tree: SourceTree, bases: Bases, ask: Ask, detectors: readonly Detector[]): readonly FoundIn[] {
  const result: FoundIn[] = []
  for (const folder of tree.folders) {
    if (besideTheProduct.test(folder)) continue
    let found: readonly Found[] = []
    for (const detect of detectors) {
      found = detect({ tree, folder, bases, ask })
      if (found.length > 0) break
    }
    const isPartOfAnother = result.some((one) => isWithin(folder, one.folder))
    if (found.some(({ kind }) => kind === 'static') && isPartOfAnother) continue
    if (found.length > 0) result.push({ folder, found })
    else if (tree.has(inFolder(folder, 'Dockerfile')) && !folderForDockerfiles.test(folder))
      result.push({ folder, found: [byDockerfile(folder)] })
  }
  // pages beside the components of a root that has none are a site only when nothing else is there
  const others = result.filter((one) => !one.found.some(({ kind }) => kind === 'static'))
  return result.filter(
    (one) => !one.found.some(({ kind }) => kind === 'static') || !others.some(({ folder }) => isWithin(folder, one.folder)),
  )
}

const byDockerfile = (folder: string): Found => ({
  kind: 'docker',
  findings: [{ what: 'a Dockerfile', proof: inFolder(folder, 'Dockerfile') }],
  dockerfile: { text: '' },
  ignore: [],
  live: [],
  libraries: [],
})

function nameComponents(found: readonly FoundIn[], project: string): readonly { name: string; folder: string; found: Found }[] {
  const taken = new Set<string>()
  return found.flatMap(({ folder, found: list }) =>
    list.map((one) => {
      const suggested =
        folder === '' || list.length > 1 ? (one.name ?? (folder === '' ? project : lastPart(folder))) : lastPart(folder)
      const wanted = slug(suggested)
      let name = wanted
      for (let i = 2; taken.has(name); i++) name = `${wanted}-${i}`
      taken.add(name)
      return { name, folder, found: one }
    }),
  )
}

/** A DNS label that begins with a letter. */
function slug(text: string): string {
  const label = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+/, (start) => (/\d/.test(start) ? `app-${start.replaceAll(/^-+|-+$/g, '')}` : ''))
    .slice(0, 40)
    .replaceAll(/^-+|-+$/g, '')
  return label === '' ? 'app' : label
}

interface Named {
  readonly name: string
  readonly folder: string
  readonly found: Found
  readonly project: string
  readonly ask: Ask
}

function draft(tree: SourceTree, existing: Existing, { name, folder, found, project, ask }: Named): Draft {
  const path = inFolder(folder, found.dockerfile.name ?? 'Dockerfile')
  const written = tree.read(path)
  const isOurs = written?.startsWith(generatedMark) ?? false
  const there =
    written === undefined || isOurs ? undefined : readDockerfile(written, found.kind === 'docker' ? undefined : found.kind)
  const variables = variablesOf(tree, folder, found.variables, found.sources)
  const used = usedBy(existing, name, folder, project)
  const port = there?.port !== undefined ? { number: there.port, proof: path } : askPort(found, folder, ask)
  const findings: readonly Finding[] = [
    ...found.findings,
    ...(there && found.kind !== 'docker' ? [{ what: 'its own Dockerfile', proof: path }] : []),
    ...(port ? [{ what: `port ${port.number}`, proof: port.proof }] : []),
  ]
  const target = there ? there.target : 'dev'
  return {
    name,
    folder,
    kind: found.kind,
    findings,
    notes: found.notes ?? [],
    context: there ? folder : (found.context ?? folder),
    dockerfile: {
      path,
      ...(target === undefined ? {} : { target }),
      ...(written === undefined ? { text: found.dockerfile.text } : {}),
    },
    ignore: found.ignore,
    live: there ? there.live : found.live,
    ...(port ? { port } : {}),
    ...(found.process ? { process: found.process } : {}),
    env: Object.fromEntries(Object.entries(found.env ?? {}).map(([key, text]) => [key, { kind: 'text', text } as const])),
    unknown: [],
    services: servicesOf(tree, folder, found, variables),
    image: used?.image ?? imageName(project, name),
    ...(used ? { runsBy: used.by } : {}),
    variables,
  }
}

/** A port that only the kind's habit speaks for is as good as any; nothing is asked where the sources say it. */
const askPort = (found: Found, folder: string, ask: Ask): Found['port'] => {
  if (!found.port?.assumed) return found.port
  const standard = String(found.port.number)
  const answer = ask({
    id: inFolder(folder, 'port'),
    message: `No file says which port ${folder || 'the app'} listens on. Which one?`,
    choices: [],
    fallback: standard,
  })
  const number = Number(answer)
  return { proof: found.port.proof, number: number > 0 && number < 65_536 ? number : found.port.number }
}

const imageName = (project: string, name: string): string => (project === name ? name : `${project}/${name}`)

/** What runs a component already, and by which name of its image. */
function usedBy(
  { compose, ...rest }: Existing,
  name: string,
  folder: string,
  project: string,
): { image: string; by: 'compose' | 'manifests' } | undefined {
  if (compose?.services.some(({ context }) => context === folder)) return { image: imageName(project, name), by: 'compose' }
  const images = [...rest.manifests, ...rest.charts, ...rest.kustomizations]
    .flatMap((one) => one.images)
    .filter((one) => !isServiceImage(one))
  const image = images.find(
    (one) =>
      [name, lastPart(folder), `${project}-${name}`].includes(lastPart(one)) || (folder === '' && lastPart(one) === project),
  )
  return image === undefined ? undefined : { image, by: 'manifests' }
}

/** A variable such as DATABASE_URL, which several kinds may mean, means the one that another component was proved to need. */
function shareServices(drafts: readonly Draft[]): readonly Draft[] {
  const proved = drafts.flatMap(({ services }) => services)
  return drafts.map((one) => {
    const added = new Map<ServiceKind, ServiceNeed>()
    for (const { name, proof } of one.variables) {
      const known = one.services.some(({ variables }) => Object.hasOwn(variables, name))
      const need = known ? undefined : proved.find(({ kind }) => valueOf(kind, name) !== undefined)
      const value = need && valueOf(need.kind, name)
      if (!need || value === undefined || one.services.some(({ kind }) => kind === need.kind)) continue
      const before = added.get(need.kind)?.variables ?? {}
      const finding = { what: `${serviceSigns[need.kind].title}, by ${name}`, proof }
      added.set(need.kind, { kind: need.kind, variables: { ...before, [name]: value }, finding })
    }
    return added.size === 0 ? one : { ...one, services: [...one.services, ...added.values()] }
  })
}

/** A constant cannot be used before it is declared: who refers back gets the name of the other's Service as plain text. */
function withoutCircles(components: readonly Component[]): readonly Component[] {
  const reaches = (from: string, to: string, seen: readonly string[] = []): boolean => {
    if (from === to) return true
    const targets = seen.includes(from) ? [] : targetsOf(done.get(from) ?? components.find(({ name }) => name === from))
    return targets.some((one) => reaches(one, to, [...seen, from]))
  }
  const done = new Map<string, Component>()
  for (const one of components) {
    const env = Object.entries(one.env).map(([name, value]): [string, EnvValue] => {
      if (value.kind !== 'component' || !reaches(value.component, one.name)) return [name, value]
      const { port } = components.find((other) => other.name === value.component) ?? {}
      const forms = {
        url: `http://${value.component}:${port?.number}`,
        address: `${value.component}:${port?.number}`,
        host: value.component,
        port: String(port?.number),
      }
      return [name, { kind: 'text', text: forms[value.value] }]
    })
    done.set(one.name, { ...one, env: Object.fromEntries(env) })
  }
  return [...done.values()]
}

const targetsOf = (component: Component | undefined): readonly string[] =>
  Object.values(component?.env ?? {}).flatMap((value) => (value.kind === 'component' ? [value.component] : []))

/** A port of this machine for each component that listens, the same number where that is free. */
function localPorts(drafts: readonly Draft[]): readonly (number | undefined)[] {
  const taken = new Set<number>()
  return drafts.map(({ port, runsBy }) => {
    if (!port || runsBy === 'compose') return undefined
    let local = port.number < 1024 ? port.number + 8000 : port.number
    while (taken.has(local)) local++
    taken.add(local)
    return local
  })
}

function notesOf(tree: SourceTree, existing: Existing, components: readonly Component[]): readonly string[] {
  const notes: string[] = components.flatMap(({ name, notes: own }) => own.map((note) => `${name}: ${note}`))
  for (const { name, unknown } of components)
    if (unknown.length > 0)
      notes.push(
        `${name}: nothing tells what to set ${unknown.map((one) => one.name).join(', ')} to; see the comments in the Devloopfile.`,
      )
  for (const folder of tree.folders.filter((one) => folderForDockerfiles.test(one) && tree.has(inFolder(one, 'Dockerfile'))))
    notes.push(`${inFolder(folder, 'Dockerfile')} was left alone: nothing tells which folder it is built in.`)
  for (const { folder, images } of [...existing.manifests, ...existing.charts, ...existing.kustomizations]) {
    const unpaired = images.filter((one) => !isServiceImage(one) && !components.some(({ image }) => image === one))
    if (unpaired.length > 0 && components.length > 0)
      notes.push(`${folder || '.'} uses ${unpaired.join(', ')}, which no component is called after.`)
  }
  return notes
}

const lastPart = (path: string): string => path.slice(path.lastIndexOf('/') + 1)
