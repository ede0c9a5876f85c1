// What can be wrong in Compose files: each with file and line, the reason and what to do.
import { expect, test } from 'vitest'
import { composeProject, errorsOf, service } from './compose-project.js'

test('the file itself', async () => {
  expect(await composeProject({}).errors()).toMatchInlineSnapshot(`
    "devloopfile/file at Devloopfile.ts:2:61
    There is no Compose file 'compose.yaml'.
    It was looked for at compose.yaml.
    -> Correct the path: it is relative to the file that this call stands in."
  `)
  expect(await composeProject({}, '').errors()).toMatchInlineSnapshot(`
    "devloopfile/file at Devloopfile.ts:2:61
    There is no Compose file in '.'.
    Looked for were compose.yaml, compose.yml, docker-compose.yaml and docker-compose.yml in ROOT.
    -> Correct the path: it is relative to the file that this call stands in."
  `)
  expect(await errorsOf('services:\n  web: [\n')).toMatchInlineSnapshot(`
    "devloopfile/yaml at compose.yaml:3:1
    This is not valid YAML.
    Flow sequence in block collection must be sufficiently indented and end with a ].
    -> Correct the line that the error names."
  `)
  expect(await errorsOf('- a\n')).toMatchInlineSnapshot(`
    "devloopfile/yaml at compose.yaml:1:1
    This is no Compose file: it must be a mapping with \`services\`.
    -> Write services: and below it a name for each service."
  `)
  expect(await errorsOf('services: {}\n')).toMatchInlineSnapshot(`
    "compose/invalid at Devloopfile.ts:2:61
    The Compose file has no service to run.
    -> Write services: with a name for each."
  `)
  expect(await errorsOf('services:\n  web: { image: a, <<: 3 }\n')).toMatchInlineSnapshot(`
    "devloopfile/yaml at compose.yaml:2:20
    \`<<\` takes a mapping, or a list of mappings.
    Received 3.
    -> Correct the line that the error names."
  `)
  expect(await errorsOf('a: &a [*a]\nservices: { web: { image: a } }\n')).toMatchInlineSnapshot(`
    "devloopfile/yaml at compose.yaml:1:8
    The anchor &a contains itself.
    -> Correct the line that the error names."
  `)
  expect(await errorsOf('service: { web: { image: a } }\nmodels: { m: {} }\n')).toMatchInlineSnapshot(`
    "compose/invalid at compose.yaml:1:1
    compose.yaml: there is no \`service\`.
    -> Did you mean 'services'?

    compose/unsupported at compose.yaml:2:1
    \`models\` cannot be followed.
    devloop runs no models.
    -> Remove it, or leave the service out: compose(file, { except: [...] })."
  `)
})

test('variables and env files', async () => {
  expect(await errorsOf(service('command: "${CMD:?say what}"'))).toMatchInlineSnapshot(`
    "compose/invalid at compose.yaml:4:14
    The variable CMD is not set: say what
    -> Set CMD in the environment of devloop or in .env."
  `)
  expect(await errorsOf(service('command: "costs 5$ ${"'))).toMatchInlineSnapshot(`
    "compose/invalid at compose.yaml:4:14
    'costs 5$ \${' names no variable behind a $.
    -> Write $$ for a plain $."
  `)
  expect(await errorsOf(service(''), undefined, { '.env': 'A=1\nB="x\n' })).toMatchInlineSnapshot(`
    "compose/invalid at .env:2
    .env: The value of B has no closing ".
    -> Close it with "."
  `)
  expect(await errorsOf(service('env_file: [none.env, bad.env]'), undefined, { 'bad.env': '=\n' })).toMatchInlineSnapshot(`
    "compose/invalid at bad.env:1
    bad.env: This line is no NAME=VALUE.
    -> Write NAME=VALUE.

    devloopfile/file at compose.yaml:4:16
    service 'web': there is no env file 'none.env'.
    It was looked for at none.env.
    -> Create it, correct the path, or write required: false."
  `)
})

test('includes and extends', async () => {
  const files = { 'other.yaml': 'services: { web: { image: b }, loop: { extends: loop } }' }
  expect(await errorsOf(`include: [other.yaml]\n${service('')}`, undefined, files)).toMatchInlineSnapshot(`
    "compose/invalid at other.yaml:1:32
    service 'loop' has neither \`image\` nor \`build\`.
    -> Give it one of them.

    compose/invalid at other.yaml:1:49
    service 'loop' extends itself.
    -> Remove one of the \`extends\`."
  `)
  expect(await errorsOf('include: [{ env_file: x }]')).toMatchInlineSnapshot(`
    "compose/invalid at compose.yaml:1:11
    \`include\` names no file.
    -> Write the path of a Compose file."
  `)
  expect(await errorsOf('include: [compose.yaml]')).toMatchInlineSnapshot(`
    "compose/invalid at compose.yaml:1:11
    compose.yaml includes itself.
    -> Remove one of the includes."
  `)
  expect(await errorsOf(service('extends: { file: none.yaml, service: a }'))).toMatchInlineSnapshot(`
    "devloopfile/file at compose.yaml:4:5
    There is no Compose file 'none.yaml'.
    It was looked for at none.yaml.
    -> Correct the path."
  `)
  expect(await errorsOf(service('extends: { file: other.yaml, service: wep }'), undefined, files)).toMatchInlineSnapshot(`
    "compose/invalid at compose.yaml:4:5
    service 'web' extends 'wep', and there is no such service in other.yaml.
    -> Did you mean 'web'?"
  `)
  expect(await errorsOf(service('extends: { file: other.yaml }'), undefined, files)).toMatchInlineSnapshot(`
    "compose/invalid at compose.yaml:4:5
    service 'web': \`extends\` names no service.
    -> Write extends: { service: ... }."
  `)
})

test('which services', async () => {
  const yaml = 'services:\n  web: { image: a, depends_on: [db] }\n  db: { image: a, profiles: [x] }\n'
  expect(await errorsOf(yaml)).toMatchInlineSnapshot(`
    "compose/invalid at compose.yaml:2:33
    service 'web' depends on 'db', which is not to run.
    Its profiles are not active, or it is left out.
    -> Activate its profile, or write required: false."
  `)
  expect(await errorsOf(yaml, `'compose.yaml', { services: ['wep'] }`)).toMatchInlineSnapshot(`
    "compose/invalid at Devloopfile.ts:2:61
    There is no service 'wep'.
    Services: web and db.
    -> Did you mean 'web'?"
  `)
  expect(await errorsOf('services: { web: { image: a, profiles: [x] } }')).toMatchInlineSnapshot(`
    "compose/invalid at Devloopfile.ts:2:61
    The Compose file has no service to run.
    All have profiles, or are left out: web.
    -> Name a profile: compose(file, { profiles: ['...'] })."
  `)
  expect(
    await errorsOf(
      'services:\n  web: { image: a, depends_on: [dp] }\n  db: { image: a, depends_on: { web: { condition: up } } }',
    ),
  ).toMatchInlineSnapshot(`
    "compose/invalid at compose.yaml:2:33
    service 'web' depends on 'dp', and there is no such service.
    -> Did you mean 'db'?

    compose/invalid at compose.yaml:3:33
    service 'db': there is no condition 'up'.
    -> Use one of service_started, service_healthy and service_completed_successfully."
  `)
})

test('values of a wrong kind, and keys that there are not', async () => {
  expect(await errorsOf('services:\n  web: 3\n  db: { image: a }\n')).toMatchInlineSnapshot(`
    "compose/invalid at compose.yaml:2:8
    services: \`web\` must be a mapping.
    Received 3.
    -> Correct the line that the error names."
  `)
  expect(
    await errorsOf(
      service(`imag: b
environment: 3
ports: ["80:x", "1-2:3-5", { target: 99999 }, { target: 80, protocol: sctp }, { target: 80, published: 99999 }]
expose: [a]
stop_grace_period: soon
mem_limit: lots
read_only: maybe
deploy: { replicas: -1, replica: 2 }
scale: 1.5
command: { a: b }
entrypoint: 'say "hello'
healthcheck: { test: [RUN, x], retry: 3 }
working_dir: [a]
volumes: ["a:b:c:d", "a:/a", "/x:rel", { type: cluster, target: /a }, { type: bind, target: /b }, { source: a }]`),
    ),
  ).toMatchInlineSnapshot(`
    "compose/invalid at compose.yaml:4:11
    service 'web': there is no \`imag\`.
    -> Did you mean 'image'?

    compose/invalid at compose.yaml:5:18
    service 'web': \`environment\` must be a mapping or a list.
    Received 3.
    -> Correct the line that the error names.

    compose/invalid at compose.yaml:6:13
    service 'web': \`ports\` must be a port such as '8080:80', '127.0.0.1:8080:80' or '53:53/udp'.
    Received '80:x'.
    -> Correct the line that the error names.

    compose/invalid at compose.yaml:6:21
    service 'web': \`ports\` must be as many ports of this machine as of the container.
    Received '1-2:3-5'.
    -> Correct the line that the error names.

    compose/invalid at compose.yaml:6:42
    service 'web': \`ports.target\` must be a port from 1 to 65535.
    Received 99999.
    -> Correct the line that the error names.

    compose/invalid at compose.yaml:6:75
    service 'web': \`ports.protocol\` must be tcp or udp.
    Received 'sctp'.
    -> Correct the line that the error names.

    compose/invalid at compose.yaml:6:108
    service 'web': \`ports.published\` must be a port from 1 to 65535.
    Received 99999.
    -> Correct the line that the error names.

    compose/invalid at compose.yaml:7:14
    service 'web': \`expose\` must be a port such as '3000' or '3000-3005'.
    Received 'a'.
    -> Correct the line that the error names.

    compose/invalid at compose.yaml:8:24
    service 'web': \`stop_grace_period\` must be a duration such as 10s or 1m30s.
    Received 'soon'.
    -> Correct the line that the error names.

    compose/invalid at compose.yaml:9:16
    service 'web': \`mem_limit\` must be a size such as 512m or 1gb.
    Received 'lots'.
    -> Correct the line that the error names.

    compose/invalid at compose.yaml:10:16
    service 'web': \`read_only\` must be true or false.
    Received 'maybe'.
    -> Correct the line that the error names.

    compose/invalid at compose.yaml:11:25
    service 'web': \`deploy.replicas\` must be a number from 0 up.
    Received -1.
    -> Correct the line that the error names.

    compose/invalid at compose.yaml:11:38
    service 'web': there is no \`deploy.replica\`.
    -> Did you mean 'replicas'?

    compose/invalid at compose.yaml:12:12
    service 'web': \`scale\` must be a whole number.
    Received 1.5.
    -> Correct the line that the error names.

    compose/invalid at compose.yaml:13:5
    service 'web': \`command\` must be a text or a list.
    -> Correct the line that the error names.

    compose/invalid at compose.yaml:14:17
    service 'web': a quote in \`entrypoint\` is not closed.
    Received 'say "hello'.
    -> Close it, or write the command as a list.

    compose/invalid at compose.yaml:15:20
    service 'web': \`healthcheck.test\` must be a command, or a list that begins with CMD or CMD-SHELL.
    Received a list.
    -> For instance test: ['CMD', 'pg_isready'] or test: curl -f http://localhost

    compose/invalid at compose.yaml:15:43
    service 'web': there is no \`healthcheck.retry\`.
    -> Remove it, or begin its name with x- if it is an extension.

    compose/invalid at compose.yaml:16:5
    service 'web': \`working_dir\` must be a text.
    Received a list.
    -> Correct the line that the error names.

    compose/invalid at compose.yaml:17:15
    service 'web': \`volumes\` must be source:target or source:target:mode.
    Received 'a:b:c:d'.
    -> Correct the line that the error names.

    compose/invalid at compose.yaml:17:26
    service 'web' mounts the volume 'a', which \`volumes\` does not declare.
    -> Declare it at the top level, or write './a' for a folder.

    compose/invalid at compose.yaml:17:34
    service 'web': \`volumes.target\` must be an absolute path in the container, below \`/\`.
    Received 'rel'.
    -> Correct the line that the error names.

    compose/unsupported at compose.yaml:17:44
    service 'web': a volume of the type 'cluster' cannot be mounted.
    -> Use a volume, a folder or a file of this machine, or tmpfs.

    compose/invalid at compose.yaml:17:75
    service 'web': a bind mount has no \`source\`.
    -> Write the path on this machine.

    compose/invalid at compose.yaml:17:103
    service 'web': a volume has no \`target\`.
    -> Write the path in the container."
  `)
  expect(await errorsOf('services:\n  web: { build: { contex: . } }\n  db: {}\n')).toMatchInlineSnapshot(`
    "compose/invalid at compose.yaml:2:27
    service 'web': there is no \`build.contex\`.
    -> Did you mean 'context'?

    compose/invalid at compose.yaml:3:3
    service 'db' has neither \`image\` nor \`build\`.
    -> Give it one of them."
  `)
})
