// An app of the Devloopfile as Kubernetes objects: a Deployment or Job, Services, what is mounted, a Secret for secret variables.
import { DevloopError } from '../../../errors/devloop-error.js'
import type { BuildRecord } from '../../../model/build-record.js'
import { valuesOf, type ConfigsByName } from '../../../model/config-values.js'
import {
  isSecretText,
  type Addressed,
  type AppSpec,
  type ConfigRef,
  type KubeObject,
  type SealedTexts,
} from '../../../model/plan.js'
import type { AgentOf } from '../agent/agents-of.js'
import { configAnnotation, instanceLabel, projectLabel, resourceLabel } from '../labels.js'
import { keyedHash } from './content-hash.js'
import { accountOf, type AppAccount } from './app-account.js'
import { putDebugger } from './app-debug.js'
import { exposing } from './app-expose.js'
import { probesOf } from './app-probe.js'
import { resourcesOf } from './app-resources.js'
import { renderVolumes, type AppVolumes, type Storage } from './app-volumes.js'
import { literally } from './expansion.js'
import { qualifiedName } from '../../../model/image-names.js'
import type { Container, PodTemplate } from '../../../model/pod-bearing.js'
import type { Place } from './place.js'
import { finishPodTemplate } from './pod-template.js'
import { portVariables } from './port-variables.js'
import { ownerLabels, type Owner, type Rendered } from './rendered.js'
import { inBase64 } from './render-config.js'
import { resolveText, type TextContext } from './resolve-text.js'

export interface RenderAppInput {
  readonly app: AppSpec
  readonly owner: Owner
  readonly namespace: string
  /** Every app of the plan, for addresses. */
  readonly apps: Readonly<Record<string, Addressed>>
  readonly images: Readonly<Record<string, BuildRecord>>
  readonly restartable: ReadonlySet<string>
  /** Names of Secrets that pods with built images pull with. */
  readonly pullSecrets?: readonly string[]
  readonly agentOf?: AgentOf
  /** The values of the configs that it uses, as they are deployed. */
  readonly configs?: ConfigsByName
  readonly sealed?: SealedTexts
  /** Key of the hashes of secret values; needed where it has some. */
  readonly hashKey?: string
  /** The generated values that the app's texts need. */
  readonly generated: Readonly<Record<string, string>>
  /** Content of the files that its volumes hold; see readVolumeFiles. */
  readonly files: ReadonlyMap<string, Buffer>
  readonly storage: Storage
  /** Default: a namespace that says nothing. */
  readonly place?: Place
}

/** On pod templates: hash of the files that devloop brings, so that a changed one rolls out. */
const filesAnnotation = 'devloop.dev/files'

/** Kind of the workload that an app becomes. */
export const workloadKindOf = (app: AppSpec): 'Deployment' | 'Job' => (app.job ? 'Job' : 'Deployment')

/** On pod templates: hash of the app's secret values, so that a changed one rolls out. */
const secretsAnnotation = 'devloop.dev/secrets'

/** The Secret that holds the secret variables of an app. */
const secretName = (app: string): string => `${app}.devloop-env`

/** @throws DevloopError devloopfile/invalid */
export function renderApp(given: RenderAppInput): Rendered {
  const input = given.place?.givesUsers && given.app.service ? { ...given, app: withoutUser(given.app) } : given
  const { app, owner, namespace } = input
  checkPorts(app)
  const labels = { ...appLabels(app, owner.project), ...ownerLabels(owner) }
  const meta = (name: string) => ({ name, namespace, labels: { ...labels } })
  const selector = { [projectLabel]: owner.project, [instanceLabel]: owner.instance, [resourceLabel]: owner.resource }
  const context = textContext(input)
  const { env, secrets, used } = environment(input, context)
  const volumes = renderVolumes({
    app,
    storage: input.storage,
    files: input.files,
    hashKey: input.hashKey ?? '',
    resolve: ({ from }) => ('text' in from ? resolveText(from.text, context) : ''),
  })
  const hash = (value: object): string | undefined =>
    Object.keys(value).length > 0 ? keyedHash(input.hashKey ?? '', value) : undefined
  const annotations = {
    ...optional(secretsAnnotation, hash(secrets)),
    ...optional(configAnnotation, hash({ ...used, ...wholeConfigs(app, context) })),
    ...optional(filesAnnotation, volumes.contentHash),
  }
  const account = accountOf(app)
  const template = podTemplate(input, { env, volumes, account, annotations })
  const built = 'built' in app.image ? app.image.built : undefined
  const notDebugged = putDebugger(
    app,
    template.spec.containers?.[0],
    built === undefined ? undefined : input.images[built]?.config,
  )
  const { id, warnings, agent } = finishPodTemplate(template, {
    ...input,
    imageOf: () => built,
    runsOn: !app.job,
    at: app.at,
    workload: `${workloadKindOf(app).toLowerCase()}/${app.name}`,
  })

  const objects: KubeObject[] = []
  if (Object.keys(secrets).length > 0) {
    const data = Object.fromEntries(Object.entries(secrets).map(([key, value]) => [key, Buffer.from(value).toString('base64')]))
    objects.push({ apiVersion: 'v1', kind: 'Secret', metadata: meta(secretName(app.name)), type: 'Opaque', data })
  }
  for (const { apiVersion, kind, name, ...rest } of volumes.objects) {
    objects.push({ apiVersion, kind, metadata: meta(name), ...rest })
  }
  if (Object.keys(app.ports).length > 0 || app.headless) {
    for (const name of [app.name, ...(app.aliases ?? [])]) {
      objects.push({ apiVersion: 'v1', kind: 'Service', metadata: meta(name), spec: serviceSpec(app, selector) })
    }
  }
  const workload: KubeObject = app.job
    ? {
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: meta(app.name),
        spec: { backoffLimit: app.job.retries, template },
      }
    : {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: meta(app.name),
        spec: {
          replicas: app.replicas,
          revisionHistoryLimit: 2,
          progressDeadlineSeconds: app.debug ? 3600 : 300,
          selector: { matchLabels: selector },
          strategy: volumes.exclusive
            ? // two pods on one volume would harm its data, and on two nodes wait for each other
              { type: 'Recreate' }
            : // the old pod serves until the new one is ready
              { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
          template,
        },
      }
  const exposed = exposing(app, input.place?.exposing ?? 'Ingress')
  const beside = [...account.objects, ...(exposed ? [exposed] : [])].map(
    ({ apiVersion, kind, name, annotations, ...rest }): KubeObject => ({
      apiVersion,
      kind,
      metadata: { ...meta(name), ...(annotations ? { annotations } : {}) },
      ...rest,
    }),
  )
  return {
    objects: [
      ...objects.map((object) => ({ object, at: app.at })),
      { object: workload, at: app.at, template: id, ...(agent ? { agent } : {}) },
      ...beside.map((object) => ({ object, at: app.at })),
    ],
    warnings: [...volumes.warnings, ...notDebugged, ...warnings],
  }
}

function serviceSpec({ ports, headless }: AppSpec, selector: Readonly<Record<string, string>>): object {
  const named = Object.entries(ports).map(([name, port]) => ({ name, port, protocol: 'TCP', targetPort: port }))
  if (!headless) return { type: 'ClusterIP', selector, ports: named }
  return { type: 'ClusterIP', clusterIP: 'None', selector, ...(named.length > 0 ? { ports: named } : {}) }
}

/** What everybody else's tools know an app by. */
const appLabels = ({ name }: AppSpec, project: string): Record<string, string> => ({
  'app.kubernetes.io/name': name,
  'app.kubernetes.io/part-of': project,
})

interface PodParts {
  readonly env: readonly object[]
  readonly volumes: AppVolumes
  readonly account: AppAccount
  readonly annotations: Record<string, string>
}

function podTemplate(
  { app, images, owner, place = {} }: RenderAppInput,
  { env, volumes: { volumes, mounts }, account, annotations }: PodParts,
): PodTemplate {
  const user = 'built' in app.image ? images[app.image.built]?.config.user : undefined
  const ports = Object.entries(app.ports)
  const container: Container = {
    name: app.name,
    image: 'ref' in app.image ? qualifiedName(app.image.ref) : '',
    imagePullPolicy: 'IfNotPresent',
    ...(app.command ? { command: app.command.map(literally) } : {}),
    ...(app.args ? { args: app.args.map(literally) } : {}),
    ...(app.envFrom ? { envFrom: app.envFrom.map(wholeRef) } : {}),
    ...(env.length > 0 ? { env } : {}),
    ...(app.workdir === undefined ? {} : { workingDir: app.workdir }),
    ...(ports.length > 0 ? { ports: ports.map(([name, containerPort]) => ({ name, containerPort, protocol: 'TCP' })) } : {}),
    ...probesOf(app),
    ...(mounts.length > 0 ? { volumeMounts: mounts } : {}),
    resources: resourcesOf(app.pod ?? {}, place.bounds),
    ...(app.pod?.stdin ? { stdin: true } : {}),
    ...(app.pod?.tty ? { tty: true } : {}),
    securityContext: containerSecurity(app, user, place.restricted ?? false),
  }
  const hosts = Object.entries(app.pod?.hosts ?? {})
  return {
    metadata: {
      labels: appLabels(app, owner.project),
      ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
    },
    spec: {
      containers: [container],
      ...account.pod,
      // what pods with the default ServiceAccount would pull with; one of the user's own has its own
      ...(place.pullSecrets && account.objects.length > 0
        ? { imagePullSecrets: place.pullSecrets.map((name) => ({ name })) }
        : {}),
      // variables like API_PORT=tcp://... for each Service would only be in the way of the app's own
      enableServiceLinks: false,
      securityContext: { seccompProfile: { type: 'RuntimeDefault' }, ...volumeGroup(app) },
      terminationGracePeriodSeconds: app.pod?.stopTimeout ?? 5,
      ...(app.job ? { restartPolicy: 'Never' } : {}),
      ...(volumes.length > 0 ? { volumes } : {}),
      ...(app.pod?.hostname === undefined ? {} : { hostname: app.pod.hostname }),
      ...(hosts.length > 0 ? { hostAliases: hosts.map(([host, ip]) => ({ ip, hostnames: [host] })) } : {}),
    },
  }
}

/**
 * As near to the "restricted" Pod Security Standard as the image allows. An image that starts as root (or whose user is not known)
 * keeps the default capabilities: entrypoints that change owner and user need them. Where the namespace is restricted such a container
 * would not be admitted, so there it is taken to start as somebody else: the kubelet looks, and says it when it does not.
 */
function containerSecurity({ user: own, pod }: AppSpec, user: string | undefined, restricted: boolean): object {
  const name = own ? String(own.uid) : ((user ?? '').split(':')[0] ?? '')
  const root = !restricted && (name === '' || name === 'root' || /^0+$/.test(name))
  const capabilities = pod?.capabilities ?? (root ? undefined : { drop: ['ALL'] })
  return {
    allowPrivilegeEscalation: false,
    ...(capabilities ? { capabilities } : {}),
    ...(own ? { runAsUser: own.uid, ...(own.gid === undefined ? {} : { runAsGroup: own.gid }) } : {}),
    ...(pod?.readOnly ? { readOnlyRootFilesystem: true } : {}),
    // the kubelet can judge numbers only
    ...(restricted || (!root && /^\d+$/.test(name)) ? { runAsNonRoot: true } : {}),
  }
}

/** A service's user is that of its official image, which runs as any other too. */
function withoutUser({ user: _user, pod: { fsGroup: _fsGroup, ...pod } = {}, ...app }: AppSpec): AppSpec {
  return { ...app, pod }
}

/**
 * Only where the root of a volume does not have the group yet: a change of all its files at each start takes long, and opens what a
 * database wants to be its own alone.
 */
const volumeGroup = ({ pod }: AppSpec): object =>
  pod?.fsGroup === undefined ? {} : { fsGroup: pod.fsGroup, fsGroupChangePolicy: 'OnRootMismatch' }

const optional = (name: string, value: string | undefined): Record<string, string> =>
  value === undefined ? {} : { [name]: value }

const textContext = ({ app, apps, generated, configs, sealed }: RenderAppInput): TextContext => ({
  apps,
  generated,
  configs: configs ?? (() => undefined),
  sealed: sealed ?? {},
  who: app.name,
  at: app.at,
})

const wholeRef = ({ config, secret }: ConfigRef): object =>
  secret ? { secretRef: { name: config } } : { configMapRef: { name: config } }

/** What it uses of the configs that it takes as a whole, for the hash. */
function wholeConfigs(app: AppSpec, { configs, who }: TextContext): Readonly<Record<string, unknown>> {
  const refs = [...(app.envFrom ?? []), ...(app.volumes ?? []).filter((volume) => volume.kind === 'config')]
  return Object.fromEntries(refs.map((ref) => [`config ${ref.config}`, inBase64(valuesOf(configs, ref, who))]))
}

interface Environment {
  readonly env: readonly object[]
  /** Values of the variables that are secret. */
  readonly secrets: Readonly<Record<string, string>>
  /** Values of the variables that are values of configs. */
  readonly used: Readonly<Record<string, string>>
}

function environment({ app }: RenderAppInput, context: TextContext): Environment {
  const secrets: Record<string, string> = {}
  const used: Record<string, string> = {}
  const env: object[] = []
  const listening = app.portVariables === false ? {} : portVariables(app.ports)
  for (const [name, value] of Object.entries(listening)) {
    if (!Object.hasOwn(app.env, name)) env.push({ name, value })
  }
  for (const [name, text] of Object.entries(app.env)) {
    const value = resolveText(text, context)
    const [only, ...more] = text
    if (only?.kind === 'config' && more.length === 0) {
      const ref = { name: only.config, key: only.key }
      env.push({ name, valueFrom: only.secret ? { secretKeyRef: ref } : { configMapKeyRef: ref } })
      used[name] = value
    } else if (isSecretText(text)) {
      secrets[name] = value
      env.push({ name, valueFrom: { secretKeyRef: { name: secretName(app.name), key: name } } })
    } else {
      env.push({ name, value: literally(value) })
    }
  }
  return { env, secrets, used }
}

function checkPorts(app: AppSpec): void {
  const names = new Map<number, string>()
  for (const [name, port] of Object.entries(app.ports)) {
    const other = names.get(port)
    if (other !== undefined)
      throw new DevloopError('devloopfile/invalid', `App ${app.name} gives port ${port} two names: ${other} and ${name}.`, {
        where: app.at,
      })
    names.set(port, name)
  }
}
