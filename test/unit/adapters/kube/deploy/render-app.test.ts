import { describe, expect, test } from 'vitest'
import { renderApp, type RenderAppInput } from '../../../../../src/adapters/kube/deploy/render-app.js'
import type { PodTemplate } from '../../../../../src/model/pod-bearing.js'
import { templateLabel } from '../../../../../src/adapters/kube/labels.js'
import type { TextValue } from '../../../../../src/model/plan.js'
import { anApp, anInput, aRecord, position } from './fixtures.js'

const literal = (text: string): TextValue => [{ kind: 'literal', text }]
const password: TextValue = [{ kind: 'generated', name: 'db-password' }]

const render = (changes: Partial<RenderAppInput> = {}) => renderApp(anInput(changes))

function deploymentOf(rendered: ReturnType<typeof render>) {
  const found = rendered.objects.find(({ object }) => object.kind === 'Deployment')
  if (!found) throw new Error('no Deployment')
  const { template } = found.object.spec as { template: PodTemplate }
  const container = template.spec.containers?.[0]
  if (!container) throw new Error('no container')
  return { ...found, podTemplate: template, container }
}

describe('renderApp', () => {
  test('an app of somebody else’s image with a port and variables', () => {
    const rendered = render({ app: anApp({ name: 'db', ports: { sql: 5432 }, env: { MODE: literal('dev') } }) })
    expect(rendered.warnings).toEqual([])
    expect(rendered.objects.map(({ object }) => object)).toMatchInlineSnapshot(`
      [
        {
          "apiVersion": "v1",
          "kind": "Service",
          "metadata": {
            "labels": {
              "app.kubernetes.io/managed-by": "devloop",
              "app.kubernetes.io/name": "db",
              "app.kubernetes.io/part-of": "shop",
              "devloop.dev/instance": "ann-1",
              "devloop.dev/project": "shop",
              "devloop.dev/resource": "api",
            },
            "name": "db",
            "namespace": "dev",
          },
          "spec": {
            "ports": [
              {
                "name": "sql",
                "port": 5432,
                "protocol": "TCP",
                "targetPort": 5432,
              },
            ],
            "selector": {
              "devloop.dev/instance": "ann-1",
              "devloop.dev/project": "shop",
              "devloop.dev/resource": "api",
            },
            "type": "ClusterIP",
          },
        },
        {
          "apiVersion": "apps/v1",
          "kind": "Deployment",
          "metadata": {
            "labels": {
              "app.kubernetes.io/managed-by": "devloop",
              "app.kubernetes.io/name": "db",
              "app.kubernetes.io/part-of": "shop",
              "devloop.dev/instance": "ann-1",
              "devloop.dev/project": "shop",
              "devloop.dev/resource": "api",
            },
            "name": "db",
            "namespace": "dev",
          },
          "spec": {
            "progressDeadlineSeconds": 300,
            "replicas": 1,
            "revisionHistoryLimit": 2,
            "selector": {
              "matchLabels": {
                "devloop.dev/instance": "ann-1",
                "devloop.dev/project": "shop",
                "devloop.dev/resource": "api",
              },
            },
            "strategy": {
              "rollingUpdate": {
                "maxSurge": 1,
                "maxUnavailable": 0,
              },
              "type": "RollingUpdate",
            },
            "template": {
              "metadata": {
                "labels": {
                  "app.kubernetes.io/managed-by": "devloop",
                  "app.kubernetes.io/name": "db",
                  "app.kubernetes.io/part-of": "shop",
                  "devloop.dev/instance": "ann-1",
                  "devloop.dev/project": "shop",
                  "devloop.dev/resource": "api",
                  "devloop.dev/template": "0a4faf43de7d22e5",
                },
              },
              "spec": {
                "automountServiceAccountToken": false,
                "containers": [
                  {
                    "env": [
                      {
                        "name": "PORT",
                        "value": "5432",
                      },
                      {
                        "name": "PORT_SQL",
                        "value": "5432",
                      },
                      {
                        "name": "MODE",
                        "value": "dev",
                      },
                    ],
                    "image": "docker.io/library/postgres:16",
                    "imagePullPolicy": "IfNotPresent",
                    "name": "db",
                    "ports": [
                      {
                        "containerPort": 5432,
                        "name": "sql",
                        "protocol": "TCP",
                      },
                    ],
                    "readinessProbe": {
                      "failureThreshold": 30,
                      "periodSeconds": 1,
                      "tcpSocket": {
                        "port": 5432,
                      },
                    },
                    "resources": {
                      "limits": {
                        "cpu": "2",
                        "memory": "2Gi",
                      },
                      "requests": {
                        "cpu": "10m",
                        "memory": "32Mi",
                      },
                    },
                    "securityContext": {
                      "allowPrivilegeEscalation": false,
                    },
                  },
                ],
                "enableServiceLinks": false,
                "securityContext": {
                  "seccompProfile": {
                    "type": "RuntimeDefault",
                  },
                },
                "serviceAccountName": "db",
                "terminationGracePeriodSeconds": 5,
              },
            },
          },
        },
        {
          "apiVersion": "v1",
          "automountServiceAccountToken": false,
          "kind": "ServiceAccount",
          "metadata": {
            "labels": {
              "app.kubernetes.io/managed-by": "devloop",
              "app.kubernetes.io/name": "db",
              "app.kubernetes.io/part-of": "shop",
              "devloop.dev/instance": "ann-1",
              "devloop.dev/project": "shop",
              "devloop.dev/resource": "api",
            },
            "name": "db",
            "namespace": "dev",
          },
        },
      ]
    `)
  })

  test('no ports: no Service, no probe, no PORT', () => {
    const rendered = render()
    expect(rendered.objects.map(({ object }) => object.kind)).toEqual(['Deployment', 'ServiceAccount'])
    const { container } = deploymentOf(rendered)
    expect(container).not.toHaveProperty('readinessProbe')
    expect(container).not.toHaveProperty('env')
  })

  test('variables that hold a secret come from the Secret, and its value is nowhere else', () => {
    const db = anApp({ name: 'db', ports: { sql: 5432 } })
    const url: TextValue = [
      { kind: 'literal', text: 'postgres://' },
      ...password,
      { kind: 'literal', text: '@' },
      { kind: 'address', resource: 'db', part: 'address' },
    ]
    const rendered = render({ app: anApp({ env: { URL: url } }), apps: { db }, generated: { 'db-password': 'hunter2' } })
    const [secret, deployment] = rendered.objects.map(({ object }) => object)
    expect(secret).toMatchObject({ kind: 'Secret', metadata: { name: 'api.devloop-env', namespace: 'dev' } })
    expect(Buffer.from((secret?.data as Record<string, string> | undefined)?.URL ?? '', 'base64').toString()).toBe(
      'postgres://hunter2@db:5432',
    )
    expect(deploymentOf(rendered).container.env).toEqual([
      { name: 'URL', valueFrom: { secretKeyRef: { name: 'api.devloop-env', key: 'URL' } } },
    ])
    expect(JSON.stringify(deployment)).not.toContain('hunter2')
  })

  test('a changed secret value changes the template, an unchanged app keeps it', () => {
    const app = anApp({ env: { PASSWORD: password } })
    const first = deploymentOf(render({ app, generated: { 'db-password': 'a' } }))
    const same = deploymentOf(render({ app, generated: { 'db-password': 'a' } }))
    const other = deploymentOf(render({ app, generated: { 'db-password': 'b' } }))
    expect(first.template).toBe(first.podTemplate.metadata?.labels?.[templateLabel])
    expect(same.template).toBe(first.template)
    expect(other.template).not.toBe(first.template)
  })

  test('the selector does not change with the app', () => {
    const selectors = [anApp(), anApp({ ports: { http: 80 }, replicas: 3, env: { A: literal('b') } })].map(
      (app) => (deploymentOf(render({ app })).object.spec as { selector: unknown }).selector,
    )
    expect(selectors[0]).toEqual({
      matchLabels: { 'devloop.dev/project': 'shop', 'devloop.dev/instance': 'ann-1', 'devloop.dev/resource': 'api' },
    })
    expect(selectors[1]).toEqual(selectors[0])
  })

  test('addresses name the Service: first port, a named one, the parts', () => {
    const db = anApp({ name: 'db', ports: { sql: 5432, admin: 80 } })
    const at = (part: 'address' | 'host' | 'port', port?: string): TextValue => [
      { kind: 'address', resource: 'db', part, ...(port ? { port } : {}) },
    ]
    const env = { A: at('address'), B: at('address', 'admin'), C: at('host'), D: at('port', 'admin') }
    expect(deploymentOf(render({ app: anApp({ env }), apps: { db } })).container.env).toEqual([
      { name: 'A', value: 'db:5432' },
      { name: 'B', value: 'db:80' },
      { name: 'C', value: 'db' },
      { name: 'D', value: '80' },
    ])
  })

  test.each([
    [
      'a port that the app does not have',
      { db: anApp({ name: 'db', ports: { admin: 80 } }) },
      'App db has no port admn. Did you mean admin?',
    ],
    ['an app without ports', { db: anApp({ name: 'db' }) }, 'App db has no port admn.'],
    [
      'an app that is not there',
      { dbs: anApp({ name: 'dbs' }) },
      'There is no app db whose address could be used. Did you mean dbs?',
    ],
  ])('an address of %s is an error', (_, apps, message) => {
    const env = { A: [{ kind: 'address', resource: 'db', port: 'admn', part: 'address' }] as TextValue }
    expect(() => render({ app: anApp({ env }), apps })).toThrow(
      expect.objectContaining({
        code: 'devloopfile/invalid',
        message,
        info: expect.objectContaining({ where: position }) as unknown,
      }),
    )
  })

  test('the user’s own PORT wins, and what looks like a Kubernetes reference is left as it is', () => {
    const { container } = deploymentOf(
      render({
        app: anApp({
          ports: { http: 80 },
          env: { PORT: literal('1'), X: literal('$(PORT) $$ $HOME') },
          command: ['echo', '$(X)'],
        }),
      }),
    )
    expect(container.env).toEqual([
      { name: 'PORT_HTTP', value: '80' },
      { name: 'PORT', value: '1' },
      { name: 'X', value: '$$(PORT) $$$ $HOME' },
    ])
    expect(container.command).toEqual(['echo', '$$(X)'])
  })

  test.each([
    ['', { allowPrivilegeEscalation: false }],
    ['0:0', { allowPrivilegeEscalation: false }],
    ['root', { allowPrivilegeEscalation: false }],
    ['node', { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } }],
    ['1000:1000', { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] }, runAsNonRoot: true }],
  ])('an image with user "%s" gets the rights that it can do with', (user, expected) => {
    const rendered = render({ app: anApp({ image: { built: 'shop/api' } }), images: { 'shop/api': aRecord({}, { user }) } })
    expect(deploymentOf(rendered).container.securityContext).toEqual(expected)
  })

  test('a built image is named in the template, with its own reference', () => {
    const { container, podTemplate } = deploymentOf(
      render({ app: anApp({ image: { built: 'shop/api' } }), images: { 'shop/api': aRecord() } }),
    )
    expect(container).toMatchObject({ image: 'registry.test:5000/shop/api:devloop-11', imagePullPolicy: 'IfNotPresent' })
    expect(container).not.toHaveProperty('command')
    expect(podTemplate.metadata?.annotations).toEqual({
      'devloop.dev/images': '{"api":"shop/api"}',
      'devloop.dev/built': '1970-01-01T00:00:00.000Z',
    })
  })

  test('the same image from a build that knows nothing of the earlier one makes other pods', () => {
    const idOf = (builtAt: number) =>
      deploymentOf(render({ app: anApp({ image: { built: 'shop/api' } }), images: { 'shop/api': aRecord({ builtAt }) } }))
        .podTemplate.metadata?.labels?.['devloop.dev/template']
    expect(idOf(1)).toBe(idOf(1))
    expect(idOf(2)).not.toBe(idOf(1))
  })

  test('a restart rule wraps the command, by Kubernetes’ rules of entrypoint and arguments', () => {
    const rendered = render({
      app: anApp({ image: { built: 'shop/api' }, args: ['dev.js'] }),
      images: { 'shop/api': aRecord() },
      restartable: new Set(['shop/api']),
    })
    const { container, podTemplate } = deploymentOf(rendered)
    expect(container.command?.slice(-2)).toEqual(['node', 'dev.js'])
    expect(container.command?.length).toBeGreaterThan(2)
    expect(container).not.toHaveProperty('args')
    expect(podTemplate.metadata?.annotations?.['devloop.dev/restartable']).toBe('api')
  })

  test('an image without a shell is not wrapped, and that is told', () => {
    const images = { 'shop/api': aRecord({}, { shell: false }) }
    const rendered = render({ app: anApp({ image: { built: 'shop/api' } }), images, restartable: new Set(['shop/api']) })
    expect(deploymentOf(rendered).container).not.toHaveProperty('command')
    expect(deploymentOf(rendered).podTemplate.metadata?.annotations).not.toHaveProperty('devloop.dev/restartable')
    expect(rendered.warnings).toMatchObject([
      {
        code: 'restart/unsupported',
        message: 'Container api of deployment/api cannot be restarted in place: image shop/api has no /bin/sh.',
        where: position,
      },
    ])
  })

  test('one port with two names is refused', () => {
    expect(() => render({ app: anApp({ ports: { http: 80, web: 80 } }) })).toThrow(
      'App api gives port 80 two names: http and web.',
    )
  })
})

describe('an app under its debugger', () => {
  const debug = { language: 'node', port: 9229, local: 9229 } as const
  const built = { image: { built: 'shop/api' }, ports: { http: 80 } } as const
  const images = { 'shop/api': aRecord() }

  test('its command has the debugger, below the supervisor; nobody hurries it, and its port stays in the pod', () => {
    const probe = {
      check: { kind: 'http', port: 'http', path: '/' },
      period: 5,
      startPeriod: 5,
      timeout: 1,
      failures: 3,
    } as const
    const rendered = render({ app: anApp({ ...built, debug, probe }), images, restartable: new Set(['shop/api']) })
    const { container, object } = deploymentOf(rendered)
    expect(rendered.warnings).toEqual([])
    expect(container.command?.slice(-3)).toEqual(['node', '--inspect=127.0.0.1:9229', 'server.js'])
    expect(container.readinessProbe).toMatchObject({ timeoutSeconds: 600, failureThreshold: 1_000 })
    expect(object.spec).toMatchObject({ progressDeadlineSeconds: 3600 })
    expect(JSON.stringify(rendered.objects.map((one) => one.object))).not.toMatch(/ort":9229/)
  })

  test('a command that only the image knows gets a variable, after what the app itself says', () => {
    const env = { NODE_OPTIONS: literal('--no-warnings'), A: literal('b') }
    const { container } = deploymentOf(render({ app: anApp({ debug, env }) }))
    expect(container.command).toBeUndefined()
    expect(container.env).toEqual([
      { name: 'A', value: 'b' },
      { name: 'NODE_OPTIONS', value: '--no-warnings --inspect=127.0.0.1:9229' },
    ])
  })

  test.each([
    ['a package manager', { ...built, command: ['npm', 'start'] }, /package manager/],
    ['a command that is not known', { debug: { language: 'go', port: 2345, local: 2345 } }, /not known/],
    ['a variable that is secret', { env: { NODE_OPTIONS: password } }, /is secret/],
  ] as const)('what cannot be debugged runs as ever, and a warning says why: %s', (_, changes, why) => {
    const rendered = render({ app: anApp({ debug, ...changes }), images, generated: { 'db-password': 'x' } })
    expect(rendered.warnings).toEqual([
      expect.objectContaining({ code: 'debug/unsupported', why: expect.stringMatching(why) as string }),
    ])
    const plain = render({ app: anApp({ ...changes, debug: undefined } as never), images, generated: { 'db-password': 'x' } })
    const { container } = deploymentOf(rendered)
    expect([container.command, container.env]).toEqual([deploymentOf(plain).container.command, deploymentOf(plain).container.env])
  })
})
