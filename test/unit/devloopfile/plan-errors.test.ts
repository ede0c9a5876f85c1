// What a Devloopfile can declare wrongly: each message names the value received and what was meant, at the place of the call.
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

const raw = (text: string): Promise<string> =>
  project({
    ...files,
    'Devloopfile.ts': `import { app, defineDevloop } from 'devloop'\nexport default defineDevloop(${text})\n`,
  }).errors()

test('the project itself', async () => {
  expect(await raw('() => undefined as never')).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:2:16
    The Devloopfile: its function must return an object with name and resources.
    Received undefined.
    -> Write: return { name, resources: [...] }"
  `)
  expect(await raw(`{ name: 'My Shop', resource: [], resources: ['db'] } as never`)).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:2:16
    The Devloopfile: there is no option \`resource\`.
    Received resource: an empty array. Options: name, cluster and resources.
    -> Did you mean 'resources'?

    devloopfile/invalid at Devloopfile.ts:2:16
    The Devloopfile: \`name\` must be lower-case letters, digits and \`-\` (at most 63, no \`-\` at either end).
    Received 'My Shop'.
    -> For instance 'my-shop'.

    devloopfile/invalid at Devloopfile.ts:2:16
    The Devloopfile: \`resources[0]\` must be a resource: what app, manifests or local gave.
    Received 'db'.
    -> Correct the value that the error names."
  `)
  expect(
    await raw(
      `async () => ({ name: 'shop', cluster: { context: 'a', namespace: 'Dev', registry: 'https://r.io/', sandbox: { cpu: 'lots' } }, resources: 1 }) as never`,
    ),
  ).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:2:16
    The Devloopfile: there is no option \`cluster.context\`.
    Received context: 'a'. Options: contexts, namespace, registry and sandbox.
    -> Did you mean 'contexts'?

    devloopfile/invalid at Devloopfile.ts:2:16
    The Devloopfile: \`cluster.namespace\` must be lower-case letters, digits and \`-\` (at most 63, no \`-\` at either end).
    Received 'Dev'.
    -> For instance 'dev'.

    devloopfile/invalid at Devloopfile.ts:2:16
    The Devloopfile: \`cluster.registry\` must be host[:port][/path].
    Received 'https://r.io/'.
    -> Use 'r.io'.

    devloopfile/invalid at Devloopfile.ts:2:16
    The Devloopfile: \`cluster.sandbox.cpu\` must be a Kubernetes quantity such as '4' or '8Gi'.
    Received 'lots'.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:2:16
    The Devloopfile: \`resources\` must be an array of resources.
    Received 1.
    -> Correct the value that the error names."
  `)
})

test('an unknown option', async () => {
  expect(await errorsOf(`  const a = app('a', { imagee: 'postgres:16' })`, 'a')).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': there is no option \`imagee\`.
    Received imagee: 'postgres:16'. Options: image, port, ports, forward, needs, env, command, args, replicas and process.
    -> Did you mean 'image'?"
  `)
  expect(await errorsOf(`  const a = app('a', { image: 'a', process: { comand: 'x' } })`, 'a')).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': there is no option \`process.comand\`.
    Received comand: 'x'. Options: prepare and command.
    -> Did you mean 'command'?"
  `)
})

test('values of a wrong type', async () => {
  expect(
    await errorsOf(
      `  const a = app('a', {\n    image: { name: 'a' }, port: '80', env: { A: { b: 1 }, B: undefined, C: () => 1, D: new Date(0), '1E': 1 }, replicas: 1.5, command: [], args: 'x',\n    needs: 'db', forward: 70_000, process: 'node .' })`,
      'a',
    ),
  ).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`port\` must be a whole number from 1 to 65535.
    Received '80'.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`image\` must be an image, or a reference such as 'postgres:16'.
    Received an object with name.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`command\` must be a command: a string, or an array of strings.
    Received an empty array.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`args\` must be an array of strings.
    Received 'x'.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`process\` must be an object.
    Received 'node .'.
    -> Options: prepare and command.

    devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`forward\` leads to no port, for it has none.
    -> Give it a \`port\`, or remove \`forward\`.

    devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`needs\` must be an array of resources.
    Received 'db'.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`env.A\` must be a string, number, boolean or text.
    Received an object with b.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`env.B\` must be a string, number, boolean or text.
    Received null.
    -> Leave the variable out, or give it a default with \`??\`.

    devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`env.C\` must be a string, number, boolean or text.
    Received the function C.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`env.D\` must be a string, number, boolean or text.
    Received an instance of Date.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': '1E' cannot be the name of an environment variable.
    -> Use letters, digits and \`_\`, and no digit first.

    devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`replicas\` must be a whole number from 0 up.
    Received 1.5.
    -> Correct the value that the error names."
  `)
})

test('options that are no object, and values that contain themselves', async () => {
  expect(
    await errorsOf(
      `  const loop: any = {}; loop.loop = loop\n  const env: any = { A: loop }\n  const a = app('a', { image: 'a', env }), b = app('b', undefined as any)`,
      'a, b',
    ),
  ).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:5:13
    app 'a': \`env.A\` must be a string, number, boolean or text.
    Received an object with loop.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:5:48
    app 'b' needs its options as an object.
    Received undefined.
    -> Options: image, port, ports, forward, needs, env, command, args, replicas and process."
  `)
})

test('names', async () => {
  expect(
    await errorsOf(
      `  const a = app('My_App', { image: 'a' }), b = app('1a', { image: 'a' }), c = local('', { run: 'x' })`,
      'a, b, c',
    ),
  ).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:3:13
    app 'My_App': \`name\` must be lower-case letters, digits and \`-\` (at most 63, no \`-\` at either end).
    Received 'My_App'.
    -> For instance 'my-app'.

    devloopfile/invalid at Devloopfile.ts:3:48
    app '1a': the name must begin with a letter, since a Service has it too.
    -> For instance 'app-1a'.

    devloopfile/invalid at Devloopfile.ts:3:79
    local '': \`name\` must be a string that is not empty.
    Received ''.
    -> Correct the value that the error names."
  `)
})

test('image names', async () => {
  const images = ['Shop/API', 'shop/api:1', 'localhost:5000/shop', 'ghcr.io/shop/api', '--'].map(
    (name, index) => `app('a${index}', { image: image('${name}', { context: 'api' }) })`,
  )
  expect(await errorsOf('', images.join(', '))).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:4:57
    image 'Shop/API': the name is no valid image repository.
    Received 'Shop/API'.
    -> For instance 'shop/api'.

    devloopfile/invalid at Devloopfile.ts:4:118
    image 'shop/api:1': the name must not hold a tag or digest.
    Received 'shop/api:1'.
    -> Use 'shop/api'; devloop makes a tag from the content.

    devloopfile/invalid at Devloopfile.ts:4:181
    image 'localhost:5000/shop': the name must not hold a registry.
    Received 'localhost:5000/shop'.
    -> Use 'shop', and name the registry with cluster.registry.

    devloopfile/invalid at Devloopfile.ts:4:253
    image 'ghcr.io/shop/api': the name must not hold a registry.
    Received 'ghcr.io/shop/api'.
    -> Use 'shop/api', and name the registry with cluster.registry.

    devloopfile/invalid at Devloopfile.ts:4:322
    image '--': the name is no valid image repository.
    Received '--'.
    -> Use lower-case letters and digits, with \`.\`, \`_\`, \`-\` and \`/\` between them."
  `)
})

test('context and Dockerfile that are not there', async () => {
  expect(
    await errorsOf(
      `  const a = app('a', { image: image('a', { context: 'apy' }) })
  const b = app('b', { image: image('b', { context: 'deploy' }) })
  const c = app('c', { image: image('c', { context: 'api', dockerfile: 'Dockerfile.dev' }) })
  const d = app('d', { image: image('d', { context: 'api/Dockerfile' }) })`,
      'a, b, c, d',
    ),
  ).toMatchInlineSnapshot(`
    "devloopfile/file at Devloopfile.ts:3:31
    image 'a': there is no folder 'apy' for the context.
    It was looked for at apy.
    -> Correct \`context\`: it is relative to the file that this call stands in.

    devloopfile/file at Devloopfile.ts:4:31
    image 'b': there is no Dockerfile at 'deploy/Dockerfile'.
    Without \`dockerfile\`, it is Dockerfile in the context.
    -> Create it, or name it with \`dockerfile\`.

    devloopfile/file at Devloopfile.ts:5:31
    image 'c': there is no Dockerfile at 'Dockerfile.dev'.
    It was looked for at Dockerfile.dev.
    -> Did you mean 'api/Dockerfile.dev'? The path is relative to the file that this call stands in.

    devloopfile/file at Devloopfile.ts:6:31
    image 'd': the context 'api/Dockerfile' is no folder.
    It was looked for at api/Dockerfile.
    -> Correct \`context\`: it is relative to the file that this call stands in."
  `)
})

test('live rules', async () => {
  expect(
    await errorsOf(
      `  const a = image('a', {
    context: 'api',
    live: [
      sync('../src', '/app'),
      sync('/etc', '/app'),
      sync('src/**', '/app/src'),
      sync('src', 'app/src'),
      sync('api/src', '/app/src'),
      ignore('!a'),
      rebuildOn(),
      run('', { onn: 'x' } as never),
      run('x', { timeout: 0 }),
      sync,
    ] as never,
  })`,
      `app('a', { image: a })`,
    ),
  ).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:3:13
    image 'a': \`live[9]\` must be a live rule: sync, run, restart, rebuildOn or ignore.
    Received the function sync.
    -> Write for instance sync(...) there.

    devloopfile/invalid at Devloopfile.ts:6:7
    sync of image 'a': the path leads out of the context.
    Received '../src'.
    -> Live rules are relative to the context of the image and stay inside it.

    devloopfile/invalid at Devloopfile.ts:7:7
    sync of image 'a': the path must not be absolute.
    Received '/etc'.
    -> Live rules are relative to the context of the image and stay inside it.

    devloopfile/invalid at Devloopfile.ts:8:7
    sync of image 'a': it takes a file or folder, and no pattern.
    Received 'src/**'.
    -> Use sync('src', ...), with ignore(...) for what it must leave out.

    devloopfile/invalid at Devloopfile.ts:9:7
    sync of image 'a': \`to\` must be an absolute path in the container.
    Received 'app/src'.
    -> For instance '/app/src', or below the image's WORKDIR.

    devloopfile/invalid at Devloopfile.ts:10:7
    sync of image 'a': there is no 'api/src' in the context.
    The context is api.
    -> Did you mean 'src'? Live rules are relative to the context.

    devloopfile/invalid at Devloopfile.ts:11:7
    ignore of image 'a': a pattern cannot begin with \`!\`.
    Received '!a'.
    -> Name what is meant, or use ignore(...) for what is not.

    devloopfile/invalid at Devloopfile.ts:12:7
    rebuildOn of image 'a': it names no file.
    -> Write for instance rebuildOn('Dockerfile').

    devloopfile/invalid at Devloopfile.ts:13:7
    run of image 'a': there is no option \`options.onn\`.
    Received onn: 'x'. Options: on and timeout.
    -> Did you mean 'on'?

    devloopfile/invalid at Devloopfile.ts:13:7
    run of image 'a': \`command\` must be a command: a string, or an array of strings.
    Received ''.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:14:7
    run of image 'a': \`timeout\` must be a number of seconds above 0.
    Received 0.
    -> Correct the value that the error names."
  `)
})

test('a trigger that no sync covers', async () => {
  expect(
    await errorsOf(
      `  const a = image('a', {
    context: 'api',
    live: [
      sync('src', '/app/src'),
      run('npm ci', { on: 'package-lock.json' }),
      restart({ on: ['src/**', '*.js', 'lib/*.ts'] }),
      restart({ on: '**/*.py' }),
    ],
  })
  const b = image('b', { context: 'api', live: [restart()] })`,
      `app('a', { image: a }), app('b', { image: b })`,
    ),
  ).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:7:7
    run of image 'a': no sync covers 'package-lock.json', so that a change of it rebuilds instead.
    Synced: 'src'.
    -> Add sync('package-lock.json', ...), or correct the path.

    devloopfile/invalid at Devloopfile.ts:8:7
    restart of image 'a': no sync covers '*.js', so that a change of it rebuilds instead.
    Synced: 'src'.
    -> Add sync('.', ...), or correct the path.

    devloopfile/invalid at Devloopfile.ts:8:7
    restart of image 'a': no sync covers 'lib/*.ts', so that a change of it rebuilds instead.
    Synced: 'src'.
    -> Add sync('lib', ...), or correct the path.

    devloopfile/invalid at Devloopfile.ts:12:49
    restart of image 'b': the image has no sync, so that it would never restart.
    -> Add a sync, or remove the restart: a rebuild starts the container anew anyway."
  `)
})

test('one name for two', async () => {
  expect(
    await errorsOf(
      `  const a = app('a', { image: image('x', { context: 'api' }) })
  const b = local('a', { run: 'x' })
  const c = app('c', { image: image('x', { context: 'api' }) })`,
      'a, b, c',
    ),
  ).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:4:13
    Two resources are named 'a'.
    The other one stands at Devloopfile.ts:3:13.
    -> Name them differently.

    devloopfile/invalid at Devloopfile.ts:5:31
    Two images are named 'x'.
    The other one stands at Devloopfile.ts:3:31.
    -> Name them differently."
  `)
})

test('needs', async () => {
  expect(
    await errorsOf(
      `  const im = image('im', { context: 'api' })
  const a = app('front', { image: im, needs: ['bakc', im, 1, undefined] as never })
  const b = app('back', { image: im, needs: ['nothing'] })`,
      'a, b',
    ),
  ).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:4:13
    app 'front': \`needs[1]\` must be a resource or its name.
    Received an image.
    -> image 'im' is built anyway for whoever uses it.

    devloopfile/invalid at Devloopfile.ts:4:13
    app 'front': \`needs[2]\` must be a resource or its name.
    Received 1.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:4:13
    app 'front': \`needs[3]\` must be a resource or its name.
    Received null.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:4:13
    app 'front': it needs 'bakc', and there is no such resource.
    -> Did you mean 'back'?

    devloopfile/invalid at Devloopfile.ts:5:13
    app 'back': it needs 'nothing', and there is no such resource.
    -> Correct the name, or add the resource to \`resources\`."
  `)
})

test('needs in a circle', async () => {
  expect(
    await errorsOf(
      `  const a = app('a', { image: 'x', needs: ['c'] })
  const b = app('b', { image: 'x', needs: [a] })
  const c = local('c', { run: 'x', needs: [b] })
  const d = local('d', { run: 'x', needs: ['d'] })`,
      'a, b, c, d',
    ),
  ).toMatchInlineSnapshot(`
    "devloopfile/cycle at Devloopfile.ts:3:13
    Resources need each other in a circle: a -> c -> b -> a.
    -> Remove one of the needs that the error lists.

    devloopfile/cycle at Devloopfile.ts:6:13
    'd' needs itself.
    -> Remove one of the needs that the error lists."
  `)
})

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
  const c = local('c', { run: 'x', cwd: 'nowhere' })`,
      'a, b, c',
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
    -> Correct \`cwd\`: it is relative to the file that this call stands in."
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
