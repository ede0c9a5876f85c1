// What a Devloopfile can declare wrongly across its parts: ports, addresses, texts, manifests, files.
import { expect, test } from 'vitest'
import { devloopfile, project } from './project.js'

const files = {
  'api/Dockerfile': 'FROM node:20\n',
  'api/Dockerfile.dev': 'FROM node:20\n',
  'api/src/server.js': '',
  'deploy/web.yaml':
    'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: web }\nspec: { template: { spec: { containers: [{ name: web, image: "localhost:5000/shop/web:1" }] } } }\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: { name: settings }\n',
}

/** The errors of a Devloopfile whose body begins at line 3. */
const errorsOf = (body: string, resources = ''): Promise<string> =>
  project({ ...files, 'Devloopfile.ts': devloopfile(body, resources) }).errors()

test('ports', async () => {
  expect(
    await errorsOf(
      `  const a = app('a', { image: 'x', port: 80, ports: { http: 80 } })
  const b = app('b', { image: 'x', ports: { HTTP: 80, a: 80, b: 0, '80': 81 } })
  const c = app('c', { image: 'x', ports: { http: 80, metrics: 81 }, forward: { htttp: 8080 } as never })
  const d = app('d', { image: 'x', forward: 8080 })
  const e = local('e', { run: 'x', port: 8080 })`,
      'a, b, c, d, e',
    ),
  ).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': give either \`port\` or \`ports\`, not both.
    -> Put all of them into \`ports\`, by name.

    devloopfile/invalid at Devloopfile.ts:4:13
    app 'b': '80' cannot be the name of a port.
    -> Use at most 15 lower-case letters, digits and \`-\`, with a letter among them.

    devloopfile/invalid at Devloopfile.ts:4:13
    app 'b': 'HTTP' cannot be the name of a port.
    -> Use at most 15 lower-case letters, digits and \`-\`, with a letter among them.

    devloopfile/invalid at Devloopfile.ts:4:13
    app 'b': the ports 'HTTP' and 'a' have the same number.
    Received 80.
    -> Remove one of them.

    devloopfile/invalid at Devloopfile.ts:4:13
    app 'b': \`ports.b\` must be a whole number from 1 to 65535.
    Received 0.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:5:13
    app 'c': \`forward\` names the port 'htttp', which it does not have.
    Ports: http and metrics.
    -> Did you mean 'http'?

    devloopfile/invalid at Devloopfile.ts:6:13
    app 'd': \`forward\` leads to no port, for it has none.
    -> Give it a \`port\`, or remove \`forward\`.

    devloopfile/invalid at Devloopfile.ts:7:13
    local 'e': \`port\` is for \`serve\`: a \`run\` ends.
    -> Remove \`port\`, or use \`serve\`."
  `)
})

test('one local port for two', async () => {
  expect(
    await errorsOf(
      `  const a = app('a', { image: 'x', port: 80, forward: 8080 })
  const b = app('b', { image: 'x', ports: { x: 1, y: 2 }, forward: { x: 9000, y: 9000 } })
  const c = local('c', { serve: 'x', port: 8080 })`,
      'a, b, c',
    ),
  ).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:4:13
    'b' uses the local port 9000 twice.
    -> Forward one of them to another port.

    devloopfile/invalid at Devloopfile.ts:5:13
    'c' and 'a' use the same local port 8080.
    The other one stands at Devloopfile.ts:3:13.
    -> Forward one of them to another port."
  `)
})

test('addresses', async () => {
  expect(
    await errorsOf(
      `  const a = app('a', { image: 'x', ports: { http: 80, metrics: 81 } })
  const b = app('b', { image: 'x' })
  const c = app('c', { image: 'x', env: {
    A: a.at('metrix' as never).address,
    B: text\`http://\${b.host}\`,
    C: a as never,
  } })`,
      'c',
    ),
  ).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:5:13
    app 'c': \`env.C\` must be a string, number, boolean or text.
    Received a resource.
    -> Write \`.address\`, \`.host\` or \`.port\` behind app 'a'.

    devloopfile/invalid at Devloopfile.ts:6:30
    app 'a' has no port 'metrix'.
    It has http and metrics.
    -> Did you mean 'metrics'?

    devloopfile/invalid at Devloopfile.ts:7:24
    The host of app 'b' is asked for, but it has no port.
    -> Give app 'b' a \`port\`, or do not refer to it."
  `)
})

test('values put into plain strings', async () => {
  const bodies = [
    'const x = `postgres://${db}`',
    'const x = `postgres://${db.address}`',
    'const x = `a${password}`',
    "const x = 'a' + text`${password}`",
    'const x = JSON.stringify({ url: db.host })',
    'const x = `${image("a")}`',
    'const x = `${sync("a", "/a")}`',
    'const x = text`http://${db as never}`',
    'const x = text`${image("a") as never}`',
    'const x = text`a ${1} ${undefined as never}`',
  ]
  const shown = await Promise.all(
    bodies.map((body) =>
      errorsOf(`  const password = generated('pw'), db = app('db', { image: 'postgres:16', port: 5432 })\n  ${body}`),
    ),
  )
  expect(`\n${shown.join('\n\n')}\n`).toMatchInlineSnapshot(`
    "
    devloopfile/invalid at Devloopfile.ts:4:27
    App 'db' was put into a plain string, which would lose what it refers to.
    -> Write text\`...\` and \`.address\`, \`.host\` or \`.port\` behind the app.

    devloopfile/invalid at Devloopfile.ts:4:30
    The address of app 'db' was put into a plain string, which would lose what it refers to.
    -> Write text\`...\` instead of \`...\`, or give the value itself.

    devloopfile/invalid at Devloopfile.ts:4:17
    The generated value 'pw' was put into a plain string, which would lose what it refers to.
    -> Write text\`...\` instead of \`...\`, or give the value itself.

    devloopfile/invalid at Devloopfile.ts:4:13
    A text was put into a plain string, which would lose what it refers to.
    -> Write text\`...\` instead of \`...\`, or give the value itself.

    devloopfile/invalid at Devloopfile.ts:4:18
    The host of app 'db' was put into a plain string, which would lose what it refers to.
    -> Write text\`...\` instead of \`...\`, or give the value itself.

    devloopfile/invalid at Devloopfile.ts:4:16
    Image 'a' was put into a plain string, which would lose what it refers to.
    -> Give the image itself as an app's \`image\`.

    devloopfile/invalid at Devloopfile.ts:4:16
    A sync rule was put into a plain string, which would lose what it refers to.
    -> Put the rule itself into an image's \`live\`.

    devloopfile/invalid at Devloopfile.ts:4:13
    Value 1 of the text is app 'db', which has no text of its own.
    -> Write \`.address\`, \`.host\` or \`.port\` behind it.

    devloopfile/invalid at Devloopfile.ts:4:13
    Value 1 of the text is image 'a', which cannot stand in one.
    -> Use strings, numbers, booleans and texts.

    devloopfile/invalid at Devloopfile.ts:4:13
    Value 2 of the text is of the type undefined, which cannot stand in one.
    -> Use strings, numbers, booleans and texts.
    "
  `)
})

test('generated values', async () => {
  expect(await errorsOf(`  const a = app('a', { image: 'x', env: { A: generated('My Password') } })`, 'a'))
    .toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:3:46
    generated: \`name\` must be lower-case letters, digits and \`-\` (at most 63, no \`-\` at either end).
    Received 'My Password'.
    -> For instance 'my-password'."
  `)
})

test('local commands', async () => {
  expect(
    await errorsOf(
      `  const a = local('a', {})
  const b = local('b', { run: 'x', watch: ['../x', '/x', '!x'] })
  const c = local('c', { run: 'x', cwd: 'nowhere' })
  const app1 = app('app1', { image: 'x', ports: { http: 80, admin: 81 }, forward: { admin: 8081 } })
  const d = local('d', { run: 'x', env: { A: app1.address, B: app1.at('admin').address, C: text\`x\${generated('pw')}\` } })`,
      'a, b, c, d',
    ),
  ).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:3:13
    local 'a': it has neither \`run\` nor \`serve\`, so that there is nothing to do.
    -> Give it the command to run.

    devloopfile/invalid at Devloopfile.ts:4:13
    local 'b': a pattern of \`watch\` leads out of \`cwd\`.
    Received '../x'.
    -> Globs of \`watch\` are relative to \`cwd\` and stay inside it.

    devloopfile/invalid at Devloopfile.ts:4:13
    local 'b': a pattern of \`watch\` must not be absolute.
    Received '/x'.
    -> Globs of \`watch\` are relative to \`cwd\` and stay inside it.

    devloopfile/invalid at Devloopfile.ts:4:13
    local 'b': a pattern of \`watch\` cannot begin with \`!\`.
    Received '!x'.
    -> Name what is meant.

    devloopfile/file at Devloopfile.ts:5:13
    local 'c': there is no folder for \`cwd\`.
    It was looked for at nowhere.
    -> Correct \`cwd\`: it is relative to the file that this call stands in.

    devloopfile/invalid at Devloopfile.ts:7:13
    local 'd': \`env.C\` holds the generated value 'pw'.
    It stays in the cluster, and is given to apps only.
    -> Use it in the \`env\` of an app.

    devloopfile/invalid at Devloopfile.ts:7:13
    local 'd': \`env.A\` holds the address of app 'app1', whose port 'http' is not forwarded to this machine.
    -> Give app 'app1' a forward: { http: ... }."
  `)
})

test('manifests', async () => {
  expect(
    await errorsOf(
      `  const web = image('shop/web', { context: 'api' }), wep = image('shop/wep', { context: 'api' })
  const a = manifests('a', 'deploy/*.yml')
  const b = manifests('b', 'deploy/webb.yaml')
  const c = manifests('c', 'deploy/*.yaml', { images: [wep, 'shop/web'] as never })
  const d = manifests('d', 'deploy/web.yaml', { workloads: { wev: { forward: 80 } }, forward: 80 })
  const e = manifests('e', [{ kind: 'ConfigMap' }, 7, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' }, data: { web } }] as never)
  const f = manifests('f', 'api', { forward: { http: 80 } as never })`,
      'a, b, c, d, e, f',
    ),
  ).toMatchInlineSnapshot(`
    "devloopfile/file at Devloopfile.ts:4:13
    manifests 'a': no file matches 'deploy/*.yml'.
    It was looked for below deploy.
    -> Correct the path: it is relative to the file that this call stands in.

    devloopfile/file at Devloopfile.ts:5:13
    manifests 'b': there is no file 'deploy/webb.yaml'.
    It was looked for at deploy/webb.yaml.
    -> Did you mean 'deploy/web.yaml'?

    devloopfile/invalid at Devloopfile.ts:6:13
    manifests 'c': \`images[1]\` must be an image.
    Received 'shop/web'.
    -> Give the value that image('shop/web', ...) made.

    devloopfile/invalid at Devloopfile.ts:6:13
    manifests 'c': no container uses the image 'shop/wep'.
    Used are 'localhost:5000/shop/web:1'.
    -> Correct the name, or remove it from \`images\`.

    devloopfile/invalid at Devloopfile.ts:7:13
    manifests 'd': \`forward\` does not say for which workload.
    -> Write workloads: { name: { forward: ... } }.

    devloopfile/invalid at Devloopfile.ts:7:13
    manifests 'd': there is no workload 'wev'.
    Workloads: web.
    -> Did you mean 'web'?

    devloopfile/invalid at Devloopfile.ts:8:13
    manifests 'e': an inline object is no Kubernetes object: it has no apiVersion.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:8:13
    manifests 'e': \`source[1]\` must be a glob or an object.
    Received 7.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:8:13
    manifests 'e': \`source[2].data.web\` must be plain data.
    Received an image.
    -> Write its name, and list it in the manifests' \`images\`.

    devloopfile/file at Devloopfile.ts:9:13
    manifests 'f': the folder 'api' holds no manifest.
    Looked for were .yaml, .yml and .json files directly in it.
    -> Correct the path: it is relative to the file that this call stands in.

    devloopfile/invalid at Devloopfile.ts:9:13
    manifests 'f': \`forward\` must be an object with container port numbers as keys.
    Received an object with http.
    -> Correct the value that the error names."
  `)
})

test('manifests that are not valid', async () => {
  const { errors } = project({
    'Devloopfile.ts': devloopfile('', `manifests('m', 'k8s')`),
    'k8s/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n name: b\n',
    'k8s/b.yaml':
      'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n---\n# nothing\n---\nkind: Service\n---\n- 1\n---\napiVersion: v1\nkind: Pod\nmetadata:\n  generateName: a-\n',
    'k8s/c.yaml':
      'apiVersion: v1\nkind: List\nitems:\n  - apiVersion: v1\n    kind: ConfigMap\n    metadata: { name: a }\n  - kind: ConfigMap\n',
    'k8s/d.yaml': 'a: 1\na: 2\n',
    'k8s/e.json': '{ "apiVersion": "v1", ',
  })
  expect(await errors()).toMatchInlineSnapshot(`
    "devloopfile/yaml at k8s/a.yaml:5:1
    This is not valid YAML.
    All mapping items must start at the same column.
    -> Correct the line that the error names.

    devloopfile/yaml at k8s/b.yaml:8:1
    This is no Kubernetes object: it has no apiVersion.
    -> Correct the line that the error names.

    devloopfile/yaml at k8s/b.yaml:10:1
    This is no Kubernetes object: it must be a mapping with apiVersion and kind.
    -> Correct the line that the error names.

    devloopfile/yaml at k8s/b.yaml:12:1
    This is no Kubernetes object: the Pod has no metadata.name (generateName makes a name that devloop could not find again).
    -> Correct the line that the error names.

    devloopfile/yaml at k8s/c.yaml:7:5
    This is no Kubernetes object: it has no apiVersion.
    -> Correct the line that the error names.

    devloopfile/yaml at k8s/d.yaml:2:1
    This is not valid YAML.
    Map keys must be unique.
    -> Correct the line that the error names.

    devloopfile/yaml at k8s/e.json:1:23
    This is not valid YAML.
    Flow map must end with a }.
    -> Correct the line that the error names."
  `)
})

test('reading files', async () => {
  expect(await errorsOf(`  readFile('none.txt')`)).toMatchInlineSnapshot(`
    "devloopfile/file at Devloopfile.ts:3:3
    readFile('none.txt'): there is no such file.
    -> It was looked for at none.txt."
  `)
  expect(await errorsOf(`  readYaml('deploy/web.yaml')`)).toMatchInlineSnapshot(`
    "devloopfile/file at Devloopfile.ts:3:3
    readYaml('deploy/web.yaml'): Source contains multiple documents at line 5, column 1 of deploy/web.yaml.
    -> Correct the file."
  `)
  expect(await errorsOf(`  readJson('deploy/web.yaml')`)).toMatchInlineSnapshot(`
    "devloopfile/file at Devloopfile.ts:3:3
    readJson('deploy/web.yaml'): Unexpected token 'a', "apiVersion"... is not valid JSON.
    -> Correct the file."
  `)
  expect(await errorsOf(`  readFile(undefined as never)`)).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:3:3
    readFile: the path must be a string.
    -> Give the path of a file."
  `)
})
