// An app of the Devloopfile as Kubernetes objects: a Deployment, a Service for its ports, a Secret for secret variables.
import { DevloopError } from '../../../errors/devloop-error.js'
import type { BuildRecord } from '../../../model/build-record.js'
import { isSecretText, type AppSpec, type KubeObject } from '../../../model/plan.js'
import { instanceLabel, projectLabel, resourceLabel } from '../labels.js'
import { contentHash } from './content-hash.js'
import { literally } from './expansion.js'
import { finishPodTemplate, type Container, type PodTemplate } from './pod-template.js'
import { portVariables } from './port-variables.js'
import { ownerLabels, type Owner, type Rendered } from './rendered.js'
import { resolveText } from './resolve-text.js'

export interface RenderAppInput {
  readonly app: AppSpec
  readonly owner: Owner
  readonly namespace: string
  /** Every app of the plan, for addresses. */
  readonly apps: Readonly<Record<string, AppSpec>>
  readonly images: Readonly<Record<string, BuildRecord>>
  readonly restartable: ReadonlySet<string>
  /** The generated values that the app's texts need. */
  readonly generated: Readonly<Record<string, string>>
}

/** On pod templates: hash of the app's secret values, so that a changed one rolls out. */
const secretsAnnotation = 'devloop.dev/secrets'

/** The Secret that holds the secret variables of an app. */
const secretName = (app: string): string => `${app}.devloop-env`

/** @throws DevloopError devloopfile/invalid */
export function renderApp(input: RenderAppInput): Rendered {
  const { app, owner, namespace } = input
  checkPorts(app)
  const labels = { 'app.kubernetes.io/name': app.name, ...ownerLabels(owner) }
  const meta = (name: string) => ({ name, namespace, labels: { ...labels } })
  const selector = { [projectLabel]: owner.project, [instanceLabel]: owner.instance, [resourceLabel]: owner.resource }
  const { env, secrets } = environment(input)
  const template = podTemplate(input, env, Object.keys(secrets).length > 0 ? contentHash(secrets) : undefined)
  const built = 'built' in app.image ? app.image.built : undefined
  const { id, warnings } = finishPodTemplate(template, {
    ...input,
    imageOf: () => built,
    runsOn: true,
    at: app.at,
    workload: `deployment/${app.name}`,
  })

  const objects: KubeObject[] = []
  if (Object.keys(secrets).length > 0) {
    const data = Object.fromEntries(Object.entries(secrets).map(([key, value]) => [key, Buffer.from(value).toString('base64')]))
    objects.push({ apiVersion: 'v1', kind: 'Secret', metadata: meta(secretName(app.name)), type: 'Opaque', data })
  }
  const ports = Object.entries(app.ports)
  if (ports.length > 0) {
    objects.push({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: meta(app.name),
      spec: {
        type: 'ClusterIP',
        selector,
        ports: ports.map(([name, port]) => ({ name, port, protocol: 'TCP', targetPort: port })),
      },
    })
  }
  const deployment: KubeObject = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: meta(app.name),
    spec: {
      replicas: app.replicas,
      revisionHistoryLimit: 2,
      progressDeadlineSeconds: 300,
      selector: { matchLabels: selector },
      // the old pod serves until the new one is ready
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      template,
    },
  }
  return {
    objects: [...objects.map((object) => ({ object, at: app.at })), { object: deployment, at: app.at, template: id }],
    warnings,
  }
}

function podTemplate({ app, images }: RenderAppInput, env: readonly object[], secretsHash: string | undefined): PodTemplate {
  const user = 'built' in app.image ? images[app.image.built]?.config.user : undefined
  const ports = Object.entries(app.ports)
  const container: Container = {
    name: app.name,
    image: 'ref' in app.image ? app.image.ref : '',
    imagePullPolicy: 'IfNotPresent',
    ...(app.command ? { command: app.command.map(literally) } : {}),
    ...(app.args ? { args: app.args.map(literally) } : {}),
    ...(env.length > 0 ? { env } : {}),
    ...(ports[0]
      ? {
          ports: ports.map(([name, containerPort]) => ({ name, containerPort, protocol: 'TCP' })),
          // many failures are let pass: a restart in place must not take the pod out of its Service
          readinessProbe: { tcpSocket: { port: ports[0][1] }, periodSeconds: 1, failureThreshold: 30 },
        }
      : {}),
    securityContext: containerSecurity(user),
  }
  return {
    metadata: {
      labels: { 'app.kubernetes.io/name': app.name },
      ...(secretsHash ? { annotations: { [secretsAnnotation]: secretsHash } } : {}),
    },
    spec: {
      containers: [container],
      // variables like API_PORT=tcp://... for each Service would only be in the way of the app's own
      enableServiceLinks: false,
      securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
      terminationGracePeriodSeconds: 5,
    },
  }
}

/**
 * As near to the "restricted" Pod Security Standard as the image allows. An image that starts as root (or whose user is not known)
 * keeps the default capabilities: entrypoints that change owner and user need them, and "restricted" admits no such image anyway.
 */
function containerSecurity(user: string | undefined): object {
  const name = (user ?? '').split(':')[0] ?? ''
  const root = name === '' || name === 'root' || /^0+$/.test(name)
  return {
    allowPrivilegeEscalation: false,
    ...(root ? {} : { capabilities: { drop: ['ALL'] } }),
    // the kubelet can judge numbers only
    ...(!root && /^\d+$/.test(name) ? { runAsNonRoot: true } : {}),
  }
}

function environment(input: RenderAppInput): { env: readonly object[]; secrets: Readonly<Record<string, string>> } {
  const { app, apps, generated } = input
  const secrets: Record<string, string> = {}
  const env: object[] = []
  for (const [name, value] of Object.entries(portVariables(app.ports))) {
    if (!Object.hasOwn(app.env, name)) env.push({ name, value })
  }
  for (const [name, text] of Object.entries(app.env)) {
    const value = resolveText(text, { apps, generated, at: app.at })
    if (isSecretText(text)) {
      secrets[name] = value
      env.push({ name, valueFrom: { secretKeyRef: { name: secretName(app.name), key: name } } })
    } else {
      env.push({ name, value: literally(value) })
    }
  }
  return { env, secrets }
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
