// What can be wrong with the build options of images.
import { expect, test } from 'vitest'
import { devloopfile, project } from './project.js'

const errorsOf = (body: string, resources: string): Promise<string> =>
  project({ 'api/Dockerfile': 'FROM node:20\n', 'Devloopfile.ts': devloopfile(body, resources) }).errors()

test('build options', async () => {
  expect(
    await errorsOf(
      `  const a = image('a', {
    context: 'api', secrets: { npmrc: 's3cret', b: { fil: '.npmrc' }, 'c d': { env: 'X' }, e: { file: 'x', env: 'y' } } as never, ssh: { git: 1 } as never,
    platform: 'arm64', extraHosts: { db: 'localhost' }, pull: 'yes' as never, labels: { 'dev.devloop.image': 'x', team: 1 as never },
    tags: ['devloop-1', 'shop/api:v1'], cacheFrom: ['a b'], args: { A: {} as never }, bases: ['shop/base'] as never, chacheFrom: 'x' as never,
  })
  const b = image('b', { context: 'api', dockerfile: 'api/Dockerfile', args: { A: 1 }, build: { comand: 'x', env: { DEVLOOP_REF: 'x', B: {} } } as never })`,
      `app('a', { image: a }), app('b', { image: b })`,
    ),
  ).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:3:13
    image 'a': there is no option \`chacheFrom\`.
    Received chacheFrom: 'x'. Options: context, dockerfile, target, args, bases, secrets, ssh, platform, network, extraHosts, cacheFrom, pull, labels, tags, build, from, initialSync and live.
    -> Did you mean 'cacheFrom'?

    devloopfile/invalid at Devloopfile.ts:3:13
    image 'a': \`args.A\` must be a string, number, boolean or image.
    Received an empty object.
    -> Build arguments are known to all who have the image: they hold no texts. For secrets there is \`secrets\`.

    devloopfile/invalid at Devloopfile.ts:3:13
    image 'a': \`bases[0]\` must be an image.
    Received 'shop/base'.
    -> An image of another project needs no naming here: write its reference into FROM.

    devloopfile/invalid at Devloopfile.ts:3:13
    image 'a': \`secrets.npmrc\` must be { file: path } or { env: name }.
    -> The value itself must not stand in the Devloopfile: put it into a file or the environment.

    devloopfile/invalid at Devloopfile.ts:3:13
    image 'a': there is no option \`secrets.b.fil\`.
    Received fil: '.npmrc'. Options: file and env.
    -> Did you mean 'file'?

    devloopfile/invalid at Devloopfile.ts:3:13
    image 'a': \`secrets\` has an id that cannot be used.
    Received 'c d'.
    -> Use letters, digits, \`.\`, \`_\` and \`-\`.

    devloopfile/invalid at Devloopfile.ts:3:13
    image 'a': \`secrets.e\` needs either \`file\` or \`env\`.
    -> Give the one that holds the secret.

    devloopfile/invalid at Devloopfile.ts:3:13
    image 'a': \`ssh.git\` must be true, or the path of an ssh agent's socket.
    Received 1.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:3:13
    image 'a': \`platform\` must be an operating system and an architecture, such as 'linux/arm64'.
    Received 'arm64'.
    -> Did you mean 'linux/arm64'?

    devloopfile/invalid at Devloopfile.ts:3:13
    image 'a': \`extraHosts.db\` must be an IP address, or 'host-gateway'.
    Received 'localhost'.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:3:13
    image 'a': \`cacheFrom\` must be references of images, such as 'registry.example/shop/api:main'.
    Received 'a b'.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:3:13
    image 'a': \`pull\` must be true or false.
    Received 'yes'.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:3:13
    image 'a': the label 'dev.devloop.image' is one of devloop's own.
    -> Use another prefix than \`dev.devloop.\`.

    devloopfile/invalid at Devloopfile.ts:3:13
    image 'a': \`labels.team\` must be a string.
    Received 1.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:3:13
    image 'a': the tag 'devloop-1' is one of devloop's own.
    -> Use one that does not begin with \`devloop-\`.

    devloopfile/invalid at Devloopfile.ts:3:13
    image 'a': \`tags\` must be tags of letters, digits, \`.\`, \`_\` and \`-\` (at most 128).
    Received 'shop/api:v1'.
    -> Give the tag alone: the repository is that of the image.

    devloopfile/invalid at Devloopfile.ts:8:13
    image 'b': there is no option \`build.comand\`.
    Received comand: 'x'. Options: command, env and cwd.
    -> Did you mean 'command'?

    devloopfile/invalid at Devloopfile.ts:8:13
    image 'b': \`dockerfile\` is for a Dockerfile, and \`build\` replaces that.
    -> Remove \`dockerfile\`.

    devloopfile/invalid at Devloopfile.ts:8:13
    image 'b': \`args\` is for a Dockerfile, and \`build\` replaces that.
    -> Give the command what it needs with \`build.env\`.

    devloopfile/invalid at Devloopfile.ts:8:13
    image 'b': \`build.env.B\` must be a string, number, boolean or image.
    Received an empty object.
    -> The command runs on this machine: it can be given no texts.

    devloopfile/invalid at Devloopfile.ts:8:13
    image 'b': \`build.env.DEVLOOP_REF\` is one of devloop's own.
    -> Use a name that does not begin with \`DEVLOOP_\`."
  `)
})
