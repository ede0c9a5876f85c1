// config and secret: what becomes of them in the plan, what is wrong with them, and what is in no plan and no error.
import { expect, test } from 'vitest'
import { project } from './project.js'

const devloopfile = (body: string, resources: string): string => `
import { app, compose, config, defineDevloop, generated, helm, local, manifests, secret, text } from 'devloop'
${body}
export default defineDevloop({ name: 'shop', resources: [${resources}] })
`

test('where values come from, in the order in which they count; who uses them needs them', async () => {
  const { plan, root } = project({
    'Devloopfile.ts': devloopfile(
      `
      const settings = config('settings', { values: { LEVEL: 3, ON: true }, envFile: ['.env', { path: 'local.env', required: false }], folder: 'conf' })
      const creds = secret('creds', {
        values: { PASSWORD: generated('db') }, files: { 'tls.crt': 'certs/dev.pem' }, from: { namespace: 'platform', name: 'mail', keys: ['K'] },
        command: 'vault read', format: 'json', watch: 'vault/**', timeout: 5, envFile: 'secret.env',
      })
      const url = secret('url', { values: { URL: text\`db://\${creds.at('PASSWORD')}@\${settings.at('HOST')}\` } })`,
      `
      app('web', { image: 'x', envFrom: [settings, url], volumes: { '/etc/web': creds } }),
      app('lean', { image: 'x', env: { LEVEL: settings.at('LEVEL') }, volumes: { '/pw': { text: creds.at('PASSWORD') } } }),
      local('once', { run: 'true', env: { LEVEL: settings.at('LEVEL') } }),
      manifests('legacy', { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: {
        containers: [{ name: 'c', env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'creds', key: 'PASSWORD' } } }] }],
        volumes: [{ name: 'v', projected: { sources: [{ configMap: { name: 'settings' } }, { secret: { name: 'none' } }] } }],
      } }),`,
    ),
  })
  const { resources } = await plan()
  const shown = JSON.parse(JSON.stringify(resources).replaceAll(root, 'ROOT')) as typeof resources
  expect(shown['settings']).toMatchObject({
    kind: 'config',
    secret: false,
    sources: [
      { kind: 'folder', path: 'ROOT/conf' },
      { kind: 'env-file', path: 'ROOT/.env' },
      { kind: 'env-file', path: 'ROOT/local.env', optional: true },
      { kind: 'values', values: { LEVEL: [{ kind: 'literal', text: '3' }], ON: [{ kind: 'literal', text: 'true' }] } },
    ],
  })
  expect(shown['creds']).toMatchObject({
    secret: true,
    sources: [
      { kind: 'file', key: 'tls.crt', path: 'ROOT/certs/dev.pem' },
      { kind: 'secret', namespace: 'platform', name: 'mail', keys: ['K'] },
      { kind: 'command', command: 'vault read', cwd: 'ROOT', watch: ['vault/**'], format: 'json', timeoutMs: 5000 },
      { kind: 'env-file', path: 'ROOT/secret.env' },
      { kind: 'values', values: { PASSWORD: [{ kind: 'generated', name: 'db' }] } },
    ],
  })
  expect(Object.fromEntries(Object.values(shown).map(({ name, needs }) => [name, [...needs].sort()]))).toEqual({
    web: ['creds', 'settings', 'url'],
    lean: ['creds', 'settings'],
    once: ['settings'],
    legacy: ['creds', 'settings'],
    settings: [],
    creds: [],
    url: ['creds', 'settings'],
  })
  expect(shown['once']?.rebuildAfter).toEqual(['settings'])
  expect(shown['web']).toMatchObject({
    envFrom: [{ config: 'settings' }, { config: 'url', secret: true }],
    volumes: [{ kind: 'config', config: 'creds', secret: true }],
  })
})

test('a secret text of the Devloopfile or of a Compose file is not in the plan; its id is the same for the same text only', async () => {
  const one = project({
    'compose.yaml': `services:
  api:
    image: x
    environment: { DB_PASSWORD: hunter2, URL: 'amqp://me:hunter3@mq:1', PUBLIC_KEY: abc, MODE: fast, EMPTY_TOKEN: '' }
`,
    'Devloopfile.ts': devloopfile(
      `const creds = secret('creds', { values: { A: 'hunter4', B: text\`hunter4\`, C: text\`\${'hunter5'}:x\`, PIN: 1234 } })`,
      `creds, ...compose('compose.yaml')`,
    ),
  })
  const loaded = await one.load()
  if (!loaded.ok) throw new Error(loaded.error.message)
  const text = JSON.stringify(loaded.plan)
  expect(text).not.toMatch(/hunter|1234/)
  expect(text).toContain('"text":"fast"')
  expect(text).toContain('"text":"abc"')
  const { creds, api } = loaded.plan.resources
  const values = creds?.kind === 'config' && creds.sources[0]?.kind === 'values' ? creds.sources[0].values : {}
  expect(values['A']).toEqual(values['B'])
  expect(values['A']).not.toEqual(values['C'])
  const opened = (parts: readonly { kind: string; id?: string }[]): string =>
    parts.map(({ kind, id = '' }) => (kind === 'sealed' ? loaded.sealed[id] : kind)).join('')
  expect(Object.fromEntries(Object.entries(values).map(([key, parts]) => [key, opened(parts)]))).toEqual({
    A: 'hunter4',
    B: 'hunter4',
    C: 'hunter5:x',
    PIN: '1234',
  })
  const env = api?.kind === 'app' ? api.env : {}
  expect([opened(env['DB_PASSWORD'] ?? []), opened(env['URL'] ?? []), env['EMPTY_TOKEN']]).toEqual([
    'hunter2',
    'amqp://me:hunter3@mq:1',
    [],
  ])
  const again = await one.load()
  expect(again.ok && again.plan).toEqual(loaded.plan)
})

test('what is wrong with them is told, and never what a secret holds', async () => {
  const { errors } = project({
    'Devloopfile.ts': devloopfile(
      `
      const settings = config('settings', { values: { LEVEL: 'x' } })
      const password = generated('pw')`,
      `
      config('a', {}),
      config('b', { values: { PW: password } }),
      config('c', { command: 'x' } as never),
      config('d', { values: { 'a b': 'x' } }),
      secret('e', { value: 'hunter2' } as never),
      secret('f', { values: 'hunter2' as never }),
      secret('g', { values: { A: ['hunter2'] as never, B: process.env.NO_SUCH_VARIABLE as never } }),
      secret('h', { format: 'json', watch: 'x', values: {} }),
      secret('i', { command: 'x', format: 'text' as never, from: { namespace: 'P', name: 'x_y' } }),
      secret('j', { from: { name: 'x' } as never, envFile: [3 as never] }),
      app('k', { image: 'x', envFrom: [settings, 'settings' as never], env: { A: settings as never, B: settings.at('LEVLE') } }),`,
    ),
  })
  const told = await errors()
  expect(told).not.toContain('hunter2')
  expect(told).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:7:7
    config 'a': it takes its values from nowhere.
    -> Give it \`values\`, \`envFile\`, \`files\` or \`folder\`.

    devloopfile/invalid at Devloopfile.ts:8:7
    config 'b': \`values.PW\` holds a secret, and a ConfigMap is no place for one.
    -> Give it to an app by a secret: secret('NAME', { values: { PW: ... } }).

    devloopfile/invalid at Devloopfile.ts:9:7
    config 'c': there is no option \`command\`.
    Received command: 'x'. Options: folder, files, envFile, values, needs, rebuildAfter, labels, auto, trigger and enabled.
    -> Remove it.

    devloopfile/invalid at Devloopfile.ts:10:7
    config 'd': \`values\`: 'a b' cannot be the name of a value.
    -> Use letters, digits, \`-\`, \`_\` and \`.\`; a file can be given another name: files: { name: path }.

    devloopfile/invalid at Devloopfile.ts:11:7
    secret 'e': there is no option \`value\`.
    Received value: '***'. Options: folder, files, from, command, format, watch, cwd, timeout, envFile, values, needs, rebuildAfter, labels, auto, trigger and enabled.
    -> Did you mean 'values'?

    devloopfile/invalid at Devloopfile.ts:11:7
    secret 'e': it takes its values from nowhere.
    -> Give it \`values\`, \`envFile\`, \`files\`, \`folder\`, \`command\` or \`from\`.

    devloopfile/invalid at Devloopfile.ts:12:7
    secret 'f': \`values\` must be an object with values by their names.
    Received '***'.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:13:7
    secret 'g': \`values.A\` must be a string, number, boolean or text.
    Received an array.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:13:7
    secret 'g': \`values.B\` must be a string, number, boolean or text.
    Received null.
    -> Leave the variable out, or give it a default with \`??\`.

    devloopfile/invalid at Devloopfile.ts:14:7
    secret 'h': \`format\` is for \`command\`, and there is none.
    -> Remove \`format\`.

    devloopfile/invalid at Devloopfile.ts:14:7
    secret 'h': \`watch\` is for \`command\`, and there is none.
    -> Remove \`watch\`.

    devloopfile/invalid at Devloopfile.ts:15:7
    secret 'i': \`from.namespace\` must be lower-case letters, digits and \`-\` (at most 63, no \`-\` at either end).
    Received 'P'.
    -> For instance 'p'.

    devloopfile/invalid at Devloopfile.ts:15:7
    secret 'i': \`format\` must be 'dotenv', 'json', 'yaml' or { key: 'NAME' }.
    Received 'text'.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:16:7
    secret 'j': \`from.namespace\` is missing.
    -> Give a string.

    devloopfile/invalid at Devloopfile.ts:16:7
    secret 'j': \`envFile[0]\` must be the path of a file, or { path, required }.
    Received 3.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:17:7
    app 'k': \`envFrom[1]\` must be what config or secret gave.
    Received 'settings'.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:17:7
    app 'k': \`env.A\` must be a string, number, boolean or text.
    Received a resource.
    -> Write \`.at('KEY')\` behind config 'settings'.

    devloopfile/invalid at Devloopfile.ts:17:113
    config 'settings' has no value 'LEVLE'.
    It has LEVEL.
    -> Did you mean 'LEVEL'?"
  `)
})

test('in a plain string it would lose what it refers to', async () => {
  const { errors } = project({
    'Devloopfile.ts': devloopfile(`const a = config('a', { values: {} })`, "app('b', { image: 'x', env: { A: `x${a}` } })"),
  })
  expect(await errors()).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:4:95
    Config 'a' was put into a plain string, which would lose what it refers to.
    -> Write text\`...\` and \`.at('KEY')\` behind it."
  `)
})

test('configs that take values from each other in a circle', async () => {
  const circle = project({
    'Devloopfile.ts': devloopfile(
      `const a = secret('a', { values: { X: text\`\${'x'}\` } })
       const b = secret('b', { needs: ['c'], values: { X: a.at('X') } })
       const c = secret('c', { values: { X: b.at('X') } })`,
      'c',
    ),
  })
  expect(await circle.errors()).toMatchInlineSnapshot(`
    "devloopfile/cycle at Devloopfile.ts:5:18
    Resources need each other in a circle: c -> b -> c.
    -> Remove one of the \`needs\` or \`rebuildAfter\` that the error lists."
  `)
})
