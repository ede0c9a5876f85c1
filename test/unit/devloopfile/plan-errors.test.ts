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
    Received resource: an empty array. Options: name, cluster, settings and resources.
    -> Did you mean 'resources'?

    devloopfile/invalid at Devloopfile.ts:2:16
    The Devloopfile: \`name\` must be lower-case letters, digits and \`-\` (at most 63, no \`-\` at either end).
    Received 'My Shop'.
    -> For instance 'my-shop'.

    devloopfile/invalid at Devloopfile.ts:2:16
    The Devloopfile: \`resources[0]\` must be a resource: what app, config, secret, manifests, kustomize, helm, custom, attach or local gave.
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
    Received context: 'a'. Options: contexts, namespace, registry, pullSecret, engine, sandbox and tenant.
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
  expect(await raw(`{ name: 'shop', settings: { prune: { keep: 0, max: 1 } }, resources: [] } as never`)).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:2:16
    The Devloopfile: there is no option \`settings.prune.max\`.
    Received max: 1. Options: keep and maxAge.
    -> Did you mean 'maxAge'?

    devloopfile/invalid at Devloopfile.ts:2:16
    The Devloopfile: \`settings.prune.keep\` must be a whole number from 1 to 1000.
    Received 0.
    -> Correct the value that the error names."
  `)
  expect(await raw(`{ name: 'shop', settings: { prune: true, parallell: 1 }, resources: [] } as never`)).toContain(
    '`settings.prune` must be { keep, maxAge }, or false',
  )
})

test('an unknown option', async () => {
  expect(await errorsOf(`  const a = app('a', { imagee: 'postgres:16' })`, 'a')).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': there is no option \`imagee\`.
    Received imagee: 'postgres:16'. Options: image, port, ports, forward, env, envFrom, command, args, replicas, readiness, job, headless, aliases, portVariables, volumes, probe, workdir, user, pod, expose, serviceAccount, debug, process, needs, rebuildAfter, labels, auto, trigger and enabled.
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
    -> Options: image, port, ports, forward, env, envFrom, command, args, replicas, readiness, job, headless, aliases, portVariables, volumes, probe, workdir, user, pod, expose, serviceAccount, debug, process, needs, rebuildAfter, labels, auto, trigger and enabled."
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
    image 'a': \`live[9]\` must be a live rule: sync, run, notify, restart, rebuildOn or ignore.
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
    -> Use sync('src', ...), with \`exclude\` or ignore(...) for what it must leave out.

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
    Received onn: 'x'. Options: on, timeout, cancelOnChange and user.
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

test('options of live rules', async () => {
  expect(
    await errorsOf(
      `  const a = image('a', {
    context: 'api',
    live: [
      sync('src', '/app/src', { include: [], exclude: '../x' } as any),
      sync('src', '/app/src', { includes: '*.py' } as any),
      run('npm ci', { cancelOnChange: 'yes' } as any),
      run('npm ci', { user: 'a b' }),
      run('npm ci', { user: -1 }),
    ],
  })`,
      `app('a', { image: a })`,
    ),
  ).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:6:7
    sync of image 'a': the path leads out of the context.
    Received '../x'.
    -> Live rules are relative to the context of the image and stay inside it.

    devloopfile/invalid at Devloopfile.ts:6:7
    sync of image 'a': its \`include\` names nothing, so that it would never copy a file.
    -> Remove it, or name a pattern.

    devloopfile/invalid at Devloopfile.ts:7:7
    sync of image 'a': there is no option \`options.includes\`.
    Received includes: '*.py'. Options: include, exclude and from.
    -> Did you mean 'include'?

    devloopfile/invalid at Devloopfile.ts:8:7
    run of image 'a': \`cancelOnChange\` must be true or false.
    Received 'yes'.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:9:7
    run of image 'a': \`user\` must be a user's name such as 'node', or number.
    Received 'a b'.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:10:7
    run of image 'a': \`user\` must be a user's name such as 'node', or number.
    Received -1.
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
    -> Remove one of the \`needs\` or \`rebuildAfter\` that the error lists.

    devloopfile/cycle at Devloopfile.ts:6:13
    'd' needs itself.
    -> Remove one of the \`needs\` or \`rebuildAfter\` that the error lists."
  `)
})

test('rebuildAfter in a circle, alone or together with needs', async () => {
  expect(
    await errorsOf(
      `  const a = local('a', { run: 'x', rebuildAfter: ['b'] })
  const b = app('b', { image: 'x', needs: ['a'] })
  const c = app('c', { image: 'x', rebuildAfter: ['c'] })
  const d = app('d', { image: 'x', rebuildAfter: ['bb'] })`,
      'a, b, c, d',
    ),
  ).toMatchInlineSnapshot(`
    "devloopfile/cycle at Devloopfile.ts:3:13
    Resources need each other in a circle: a -> b (rebuildAfter) -> a.
    -> Remove one of the \`needs\` or \`rebuildAfter\` that the error lists.

    devloopfile/cycle at Devloopfile.ts:5:13
    'c' comes after itself (rebuildAfter).
    -> Remove one of the \`needs\` or \`rebuildAfter\` that the error lists.

    devloopfile/invalid at Devloopfile.ts:6:13
    app 'd': it comes after 'bb', and there is no such resource.
    -> Did you mean 'b'?"
  `)
})

test('labels, modes and limits', async () => {
  expect(
    await errorsOf(
      `  const a = app('a', { image: 'x', labels: ['back end', '-x', 'ok'], auto: 'no', trigger: 'hand', enabled: 0 } as never)
  const b = local('b', { run: 'x', labels: 7, manual: true } as never)`,
      'a, b',
    ),
  ).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': 'back end' cannot be a label.
    -> Use at most 63 letters, digits, \`-\`, \`_\` and \`.\`, with a letter or digit at both ends.

    devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': '-x' cannot be a label.
    -> Use at most 63 letters, digits, \`-\`, \`_\` and \`.\`, with a letter or digit at both ends.

    devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`auto\` must be true or false.
    Received 'no'.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`trigger\` must be 'auto' or 'manual'.
    Received 'hand'.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`enabled\` must be true or false.
    Received 0.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:4:13
    local 'b': there is no option \`manual\`.
    Received manual: true. Options: run, serve, watch, port, ready, restart, env, cwd, needs, rebuildAfter, labels, auto, trigger and enabled.
    -> Remove it.

    devloopfile/invalid at Devloopfile.ts:4:13
    local 'b': \`labels\` must be a string or an array of strings.
    Received 7.
    -> Correct the value that the error names."
  `)
  expect(await raw(`{ name: 'shop', settings: { parallel: { build: 2, deploys: 0 } }, resources: [] } as never`))
    .toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:2:16
    The Devloopfile: there is no option \`settings.parallel.build\`.
    Received build: 2. Options: builds, deploys and locals.
    -> Did you mean 'builds'?

    devloopfile/invalid at Devloopfile.ts:2:16
    The Devloopfile: \`settings.parallel.deploys\` must be a whole number from 1 to 1000.
    Received 0.
    -> Correct the value that the error names."
  `)
  expect(await raw(`{ name: 'shop', settings: { parallel: 'all' }, resources: [] } as never`)).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:2:16
    The Devloopfile: \`settings.parallel\` must be a whole number, or { builds, deploys, locals }.
    Received 'all'.
    -> Correct the value that the error names."
  `)
})
