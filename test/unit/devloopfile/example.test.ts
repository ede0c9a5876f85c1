// The example of the documentation loads as it is written.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { project } from './project.js'

const example = `import { app, defineDevloop, generated, image, local, manifests, rebuildOn, restart, run, sync, text } from 'devloop'

export default defineDevloop(({ user, args }) => {
  const password = generated('db-password')              // made once in the cluster, never on disk
  const db = app('db', { image: 'postgres:16', port: 5432, env: { POSTGRES_PASSWORD: password } })

  const server = image('shop/api', {
    context: 'services/api',
    live: [
      rebuildOn('Dockerfile'),
      sync('src', '/app/src'),
      sync('package-lock.json', '/app/package-lock.json'),
      run('npm ci', { on: 'package-lock.json' }),
      restart({ on: ['src/**', 'package-lock.json'] }),
    ],
  })
  const api = app('api', {
    image: server,
    ports: { http: 8080 },
    forward: { http: 8080 },
    needs: [db],
    env: { DATABASE_URL: text\`postgres://postgres:\${password}@\${db.address}/shop\` },   // holds a secret: becomes a Secret
    process: { prepare: 'npm ci', command: ['node', 'src/server.js'] },
  })

  return {
    name: 'shop',
    cluster: { contexts: ['kind-*', 'minikube'], namespace: \`dev-\${user}\`, sandbox: { cpu: '4', memory: '8Gi' } },
    resources: [db, api,
      manifests('legacy', 'deploy/*.yaml', { images: [server] }),
      local('codegen', { run: 'npm run codegen', watch: ['schema/**'] }),
      local('docs', { serve: 'npx vite', port: 5173 })],
  }
})
`

test('the example becomes a complete plan', async () => {
  const { plan, root } = project({
    'Devloopfile.ts': example,
    'services/api/Dockerfile': 'FROM node:20\n',
    'services/api/src/server.js': '',
    'deploy/web.yaml':
      'apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  template:\n    spec:\n      containers: [{ name: web, image: shop/api }]\n',
  })
  const whole = await plan({ user: 'Ada Lovelace' })
  // how much may run at once is this machine's affair
  const made = { ...whole, settings: { ...whole.settings, parallel: 'as usual' } }
  expect(JSON.parse(JSON.stringify(made).replaceAll(root, 'ROOT'))).toMatchInlineSnapshot(`
    {
      "cluster": {
        "contexts": [
          "kind-*",
          "minikube",
        ],
        "namespace": "dev-ada-lovelace",
        "sandbox": {
          "access": {
            "groups": [],
            "role": "edit",
            "users": [],
          },
          "defaults": {
            "limits": {
              "memory": "512Mi",
            },
            "requests": {
              "cpu": "100m",
              "memory": "128Mi",
            },
          },
          "network": "isolated",
          "podSecurity": "baseline",
          "pullSecret": false,
          "quota": {
            "limits.memory": "8Gi",
            "requests.cpu": "4",
            "requests.memory": "8Gi",
          },
        },
      },
      "file": "ROOT/Devloopfile.ts",
      "images": {
        "shop/api": {
          "args": {},
          "at": {
            "column": 18,
            "file": "ROOT/Devloopfile.ts",
            "line": 7,
          },
          "context": "ROOT/services/api",
          "dockerfile": {
            "path": "ROOT/services/api/Dockerfile",
          },
          "live": [
            {
              "at": {
                "column": 7,
                "file": "ROOT/Devloopfile.ts",
                "line": 10,
              },
              "kind": "rebuildOn",
              "patterns": [
                "Dockerfile",
              ],
            },
            {
              "at": {
                "column": 7,
                "file": "ROOT/Devloopfile.ts",
                "line": 11,
              },
              "from": "src",
              "kind": "sync",
              "to": "/app/src",
            },
            {
              "at": {
                "column": 7,
                "file": "ROOT/Devloopfile.ts",
                "line": 12,
              },
              "from": "package-lock.json",
              "kind": "sync",
              "to": "/app/package-lock.json",
            },
            {
              "at": {
                "column": 7,
                "file": "ROOT/Devloopfile.ts",
                "line": 13,
              },
              "command": "npm ci",
              "kind": "run",
              "on": [
                "package-lock.json",
              ],
              "timeoutMs": 300000,
            },
            {
              "at": {
                "column": 7,
                "file": "ROOT/Devloopfile.ts",
                "line": 14,
              },
              "kind": "restart",
              "on": [
                "src/**",
                "package-lock.json",
              ],
            },
          ],
          "name": "shop/api",
        },
      },
      "name": "shop",
      "resources": {
        "api": {
          "at": {
            "column": 15,
            "file": "ROOT/Devloopfile.ts",
            "line": 17,
          },
          "auto": true,
          "enabled": true,
          "env": {
            "DATABASE_URL": [
              {
                "kind": "literal",
                "text": "postgres://postgres:",
              },
              {
                "kind": "generated",
                "name": "db-password",
              },
              {
                "kind": "literal",
                "text": "@",
              },
              {
                "kind": "address",
                "part": "address",
                "resource": "db",
              },
              {
                "kind": "literal",
                "text": "/shop",
              },
            ],
          },
          "forward": [
            {
              "local": 8080,
              "port": "http",
            },
          ],
          "image": {
            "built": "shop/api",
          },
          "kind": "app",
          "labels": [],
          "name": "api",
          "needs": [
            "db",
          ],
          "ports": {
            "http": 8080,
          },
          "process": {
            "command": [
              "node",
              "src/server.js",
            ],
            "prepare": "npm ci",
          },
          "rebuildAfter": [],
          "replicas": 1,
          "trigger": "auto",
        },
        "codegen": {
          "at": {
            "column": 7,
            "file": "ROOT/Devloopfile.ts",
            "line": 31,
          },
          "auto": true,
          "cwd": "ROOT",
          "enabled": true,
          "env": {},
          "forward": [],
          "kind": "local",
          "labels": [],
          "name": "codegen",
          "needs": [],
          "rebuildAfter": [],
          "restart": "never",
          "run": "npm run codegen",
          "trigger": "auto",
          "watch": [
            "schema/**",
          ],
        },
        "db": {
          "at": {
            "column": 14,
            "file": "ROOT/Devloopfile.ts",
            "line": 5,
          },
          "auto": true,
          "enabled": true,
          "env": {
            "POSTGRES_PASSWORD": [
              {
                "kind": "generated",
                "name": "db-password",
              },
            ],
          },
          "forward": [],
          "image": {
            "ref": "postgres:16",
          },
          "kind": "app",
          "labels": [],
          "name": "db",
          "needs": [],
          "ports": {
            "main": 5432,
          },
          "rebuildAfter": [],
          "replicas": 1,
          "trigger": "auto",
        },
        "docs": {
          "at": {
            "column": 7,
            "file": "ROOT/Devloopfile.ts",
            "line": 32,
          },
          "auto": true,
          "cwd": "ROOT",
          "enabled": true,
          "env": {},
          "forward": [],
          "kind": "local",
          "labels": [],
          "name": "docs",
          "needs": [],
          "port": 5173,
          "ready": {
            "check": {
              "kind": "tcp",
              "port": 5173,
            },
            "delayMs": 0,
            "failures": 3,
            "periodMs": 10000,
            "successes": 1,
            "timeoutMs": 5000,
            "withinMs": 60000,
          },
          "rebuildAfter": [],
          "restart": "never",
          "serve": "npx vite",
          "trigger": "auto",
          "watch": [],
        },
        "legacy": {
          "at": {
            "column": 7,
            "file": "ROOT/Devloopfile.ts",
            "line": 30,
          },
          "auto": true,
          "enabled": true,
          "forward": [],
          "images": [
            "shop/api",
          ],
          "kind": "manifests",
          "labels": [],
          "name": "legacy",
          "needs": [],
          "objects": [
            {
              "at": {
                "column": 1,
                "file": "ROOT/deploy/web.yaml",
                "line": 1,
              },
              "object": {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": {
                  "name": "web",
                },
                "spec": {
                  "template": {
                    "spec": {
                      "containers": [
                        {
                          "image": "shop/api",
                          "name": "web",
                        },
                      ],
                    },
                  },
                },
              },
            },
          ],
          "rebuildAfter": [],
          "trigger": "auto",
        },
      },
      "root": "ROOT",
      "settings": {
        "agent": true,
        "ci": {
          "graceMs": 0,
          "readinessTimeoutMs": 300000,
          "timeoutMs": 1800000,
        },
        "parallel": "as usual",
        "prune": {
          "keep": 3,
          "maxAge": 168,
        },
      },
    }
  `)
})

test('the examples of the reference load', async () => {
  const docs = readFileSync(new URL('../../../docs/devloopfile.md', import.meta.url), 'utf8')
  const blocks = [...docs.matchAll(/```ts\n(.*?)```/gs)].map(([, code = '']) => code)
  const whole = blocks.filter((code) => code.startsWith('import ') || code.startsWith('// '))
  const [first = '', part = '', several = ''] = whole
  expect(whole).toHaveLength(3)
  const { plan, write } = project({
    'Devloopfile.ts': first,
    'services/api/Dockerfile': 'FROM node:20\n',
    'services/api/devloop.ts': part,
  })
  expect(Object.keys((await plan()).resources)).toEqual(['db', 'api'])
  write({ 'Devloopfile.ts': several })
  expect(await plan()).toMatchObject({ images: { 'shop/api': {} }, resources: { api: {} } })
})
