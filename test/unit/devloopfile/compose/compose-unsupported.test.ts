// What of Compose files cannot be followed, by error or by warning, and mistakes in the call.
import { expect, test } from 'vitest'
import { errorsOf, service, warningsOf } from './compose-project.js'

test('what cannot be followed, and must not be left out', async () => {
  expect(
    await errorsOf(
      service(`privileged: true
network_mode: host
pid: host
ipc: service:db
devices: [/dev/fuse]
gpus: all
uts: host
userns_mode: host
volumes_from: [db]
provider: { type: x }
volumes: [/var/run/docker.sock:/var/run/docker.sock, /dev/snd:/dev/snd]`),
    ),
  ).toMatchInlineSnapshot(`
    "compose/unsupported at compose.yaml:4:17
    service 'web' asks for \`privileged\`.
    The containers of devloop have no power over their node.
    -> Remove it, or leave the service out: compose(file, { except: [...] }).

    compose/unsupported at compose.yaml:5:19
    service 'web' asks for \`network_mode: host\`.
    What runs in a cluster has no part in this machine's namespaces, and each service is a pod of its own.
    -> Remove it, or leave the service out: compose(file, { except: [...] }).

    compose/unsupported at compose.yaml:6:10
    service 'web' asks for \`pid: host\`.
    What runs in a cluster has no part in this machine's namespaces, and each service is a pod of its own.
    -> Remove it, or leave the service out: compose(file, { except: [...] }).

    compose/unsupported at compose.yaml:7:10
    service 'web' asks for \`ipc: service:db\`.
    What runs in a cluster has no part in this machine's namespaces, and each service is a pod of its own.
    -> Remove it, or leave the service out: compose(file, { except: [...] }).

    compose/unsupported at compose.yaml:8:5
    service 'web' asks for \`devices\`.
    What runs in a cluster has no part in this machine's devices.
    -> Remove it, or leave the service out: compose(file, { except: [...] }).

    compose/unsupported at compose.yaml:9:11
    service 'web': \`gpus\` cannot be followed.
    Give it a GPU with manifests of your own.
    -> Remove it, or leave the service out: compose(file, { except: [...] }).

    compose/unsupported at compose.yaml:10:10
    service 'web': \`uts\` cannot be followed.
    What runs in a cluster has no part in this machine's devices and namespaces.
    -> Remove it, or leave the service out: compose(file, { except: [...] }).

    compose/unsupported at compose.yaml:11:18
    service 'web': \`userns_mode\` cannot be followed.
    What runs in a cluster has no part in this machine's devices and namespaces.
    -> Remove it, or leave the service out: compose(file, { except: [...] }).

    compose/unsupported at compose.yaml:12:5
    service 'web': \`volumes_from\` cannot be followed.
    A container has no files of another here. Name the volumes themselves.
    -> Remove it, or leave the service out: compose(file, { except: [...] }).

    compose/unsupported at compose.yaml:13:5
    service 'web': \`provider\` cannot be followed.
    devloop calls no providers.
    -> Remove it, or leave the service out: compose(file, { except: [...] }).

    compose/unsupported at compose.yaml:14:15
    service 'web' mounts the socket of a container engine.
    There is no such engine in a pod, and what it would start would not be in the cluster.
    -> Remove it, or leave the service out: compose(file, { except: [...] }).

    compose/unsupported at compose.yaml:14:58
    service 'web' mounts /dev/snd of this machine.
    What runs in a cluster has no part in the devices and the kernel of this machine.
    -> Remove it, or leave the service out: compose(file, { except: [...] })."
  `)
  const build =
    'services:\n  web:\n    build: { context: "https://github.com/a/b.git", additional_contexts: { a: b }, privileged: true }\n'
  expect(await errorsOf(build)).toMatchInlineSnapshot(`
    "compose/unsupported at compose.yaml:3:23
    service 'web' is built from https://github.com/a/b.git.
    A build context is a folder of this machine.
    -> Check the repository out beside this one, or name an image that is built already."
  `)
  const more = 'services:\n  web:\n    build: { context: ., additional_contexts: { a: b }, privileged: true, secrets: [none] }\n'
  expect(await errorsOf(more, undefined, { Dockerfile: 'FROM x\n' })).toMatchInlineSnapshot(`
    "compose/unsupported at compose.yaml:3:26
    service 'web': \`build.additional_contexts\` cannot be followed.
    It has one context. Put what it needs into that.
    -> Remove it, or leave the service out: compose(file, { except: [...] }).

    compose/unsupported at compose.yaml:3:69
    service 'web': \`build.privileged\` cannot be followed.
    Its steps run without more rights.
    -> Remove it, or leave the service out: compose(file, { except: [...] }).

    compose/invalid at compose.yaml:3:85
    service 'web': there is no secret 'none' with a \`file\` or \`environment\`.
    -> Declare it in \`secrets\` at the top level."
  `)
  const large = 'services:\n  web: { build: web, volumes: ["./large:/x"] }\n'
  expect(await errorsOf(large, undefined, { 'web/Dockerfile': 'FROM x', 'large/x': 'x'.repeat(600_000) })).toMatchInlineSnapshot(`
    "compose/unsupported at compose.yaml:2:32
    service 'web' mounts large, which is too large to be brought as files.
    It is not in the build context, and holds more than 500 kB or 100 files.
    -> Put it into the build context, or use a named volume."
  `)
})

test('secrets and configs', async () => {
  const top = 'secrets: { swarm: { external: true }, unset: { environment: NOT_THERE } }\n'
  expect(await errorsOf(`${service('secrets: [swarm, unset, none]\nconfigs: [none]')}${top}`)).toMatchInlineSnapshot(`
    "compose/invalid at compose.yaml:4:29
    service 'web' uses the secret 'none', which \`secrets\` does not declare.
    -> Declare it in \`secrets\` at the top level.

    compose/invalid at compose.yaml:5:15
    service 'web' uses the config 'none', which \`configs\` does not declare.
    -> Declare it in \`configs\` at the top level.

    compose/unsupported at compose.yaml:6:12
    secret 'swarm' says not where its content is.
    It is kept by a Docker Swarm.
    -> Give it a \`file\`, an \`environment\` or, for a config, its \`content\`.

    compose/invalid at compose.yaml:6:39
    secret 'unset': the variable NOT_THERE is not set.
    -> Set it in .env or in the environment of devloop."
  `)
})

test('rules of develop.watch', async () => {
  const rule = (text: string): string => `services:\n  web:\n    build: .\n    develop:\n      watch:\n        - ${text}\n`
  const files = { Dockerfile: 'FROM x\n' }
  expect(await errorsOf(rule('{ action: sync }'), undefined, files)).toMatchInlineSnapshot(`
    "compose/invalid at compose.yaml:6:11
    service 'web': a rule of \`develop.watch\` lacks its \`path\`.
    -> Write path, action and, to sync, target."
  `)
  expect(await errorsOf(rule('{ path: a, action: copy }'), undefined, files)).toMatchInlineSnapshot(`
    "compose/invalid at compose.yaml:6:30
    service 'web': there is no action 'copy'.
    -> Use one of sync, rebuild, restart, sync+restart, sync+exec."
  `)
  expect(await errorsOf(rule('{ path: a, action: sync }'), undefined, files)).toMatchInlineSnapshot(`
    "compose/invalid at compose.yaml:6:11
    service 'web': \`sync\` has no \`target\`.
    -> Write the path in the container."
  `)
  expect(await errorsOf(rule('{ path: a, action: sync+exec, target: /a, exec: {} }'), undefined, files)).toMatchInlineSnapshot(`
    "compose/invalid at compose.yaml:6:11
    service 'web': \`sync+exec\` has no \`exec.command\`.
    -> Write exec: { command: ... }."
  `)
  expect(await errorsOf(rule('{ path: a, action: sync, target: a, targets: b }'), undefined, files)).toMatchInlineSnapshot(`
    "compose/invalid at compose.yaml:6:56
    service 'web': there is no \`develop.watch.targets\`.
    -> Did you mean 'target'?"
  `)
  expect(
    await warningsOf(
      rule(
        '{ path: a, action: sync+exec, target: /a, include: ["*.js"], ignore: ["!x"], exec: { command: x, working_dir: /a } }\n        - { path: b, action: restart }',
      ),
      files,
    ),
  ).toMatchInlineSnapshot(`
    "compose/unsupported at compose.yaml:6:53
    service 'web': \`include\` of \`develop.watch\` is not followed.
    All that is below a is taken.
    -> Name the folder more closely in \`path\`.

    compose/unsupported at compose.yaml:6:72
    service 'web': '!x' of \`ignore\` is not followed.
    -> Name what is to be ignored.

    compose/unsupported at compose.yaml:6:121
    service 'web': \`exec.working_dir\` is not followed.
    The command runs as the container does, in its working folder.
    -> Say it in the command itself.

    compose/unsupported at compose.yaml:7:11
    service 'web': a change of b rebuilds, and does not only restart.
    A restart follows on files that are synced.
    -> Use sync+restart, with a target."
  `)
  expect(await warningsOf(service('develop: { watch: [{ path: a, action: rebuild }] }'))).toMatchInlineSnapshot(`
    "compose/unsupported at compose.yaml:4:16
    service 'web': \`develop.watch\` is for services with \`build\`.
    The image of this service is not built here, so nothing of it is watched.
    -> Give it a \`build\`, or remove \`develop\`."
  `)
})

test('what is left out, and told', async () => {
  expect(
    await warningsOf(
      service(`stop_signal: SIGINT
sysctls: [a=b]
ulimits: { nofile: 10 }
security_opt: [a]
dns: 1.1.1.1
user: postgres
restart: "no"
network_mode: none
container_name: My_Container
extra_hosts: [host.docker.internal:host-gateway]
deploy: { mode: global }
ports: ["10.0.0.1:80:80", "81:80", "53:53/udp"]
labels: { quiet: yes }
logging: { driver: none }
x-own: 1
depends_on: { db: { condition: service_healthy } }
volumes: ["gone:/gone", "./nowhere:/nowhere"]`) + '  db: { image: a }\nvolumes: { gone: { external: true } }\n',
    ),
  ).toMatchInlineSnapshot(`
    "compose/unsupported at compose.yaml:4:18
    service 'web': \`stop_signal\` is not followed.
    It is ended by the image's own signal.
    -> Remove it where that is well.

    compose/unsupported at compose.yaml:5:5
    service 'web': \`sysctls\` is not followed.
    The container has the settings of its node.
    -> Remove it where that is well.

    compose/unsupported at compose.yaml:6:5
    service 'web': \`ulimits\` is not followed.
    The container has what the cluster gives it.
    -> Remove it where that is well.

    compose/unsupported at compose.yaml:7:5
    service 'web': \`security_opt\` is not followed.
    It runs by the cluster's own rules.
    -> Remove it where that is well.

    compose/unsupported at compose.yaml:8:10
    service 'web': \`dns\` is not followed.
    It asks the cluster's name service.
    -> Remove it where that is well.

    compose/unsupported at compose.yaml:9:11
    service 'web': it runs as the image's user, and not as 'postgres'.
    Kubernetes knows no names of users.
    -> Write the number that the image has for that user.

    compose/unsupported at compose.yaml:10:14
    service 'web': it is started again whenever it ends.
    \`restart: no\` is followed for services that run to their end only.
    -> If it does, say so: compose(file, { apps: { 'web': { job: true } } }).

    compose/unsupported at compose.yaml:11:19
    service 'web': \`network_mode: none\` is not followed.
    It has the network of the cluster.
    -> Forbid it with a NetworkPolicy.

    compose/unsupported at compose.yaml:12:21
    service 'web' is not reached by the name 'My_Container'.
    A name in the cluster has lower-case letters, digits and \`-\` only.
    -> Call it 'web'.

    compose/unsupported at compose.yaml:13:19
    service 'web': the host host.docker.internal is not known to it.
    host-gateway is no address that a pod could reach.
    -> Write an IP address.

    compose/unsupported at compose.yaml:14:5
    service 'web': \`deploy.mode: global\` is not followed.
    It runs as often as \`replicas\` says.
    -> Use manifests with a DaemonSet.

    compose/unsupported at compose.yaml:15:13
    service 'web': the port 80 is opened at 127.0.0.1 only.
    The file names 10.0.0.1.
    -> Remove the address.

    compose/unsupported at compose.yaml:15:31
    service 'web': the port 80 is forwarded once, not to 81 too.
    -> Remove one of the two.

    compose/unsupported at compose.yaml:15:40
    service 'web': the port 53/udp is not forwarded to this machine.
    Kubernetes forwards TCP only. Other services reach it.
    -> Use it from within the cluster.

    compose/unsupported at compose.yaml:19:19
    service 'web' waits for 'db' to be healthy, which has no \`healthcheck\`.
    A health check of its image is not known to Kubernetes: it counts when it accepts connections, or runs.
    -> Give 'db' a healthcheck.

    compose/unsupported at compose.yaml:20:29
    service 'web': nowhere is mounted as a volume of the cluster.
    There is no such file or folder, or it cannot be read.
    -> What the container writes there stays in the cluster. Name a volume to say that it is meant.

    compose/unsupported at compose.yaml:22:30
    \`volumes.gone.external\` is not followed.
    It becomes a volume of the cluster, which is empty at first.
    -> Fill the volume in the cluster."
  `)
  const outside = 'services:\n  web: { build: web, volumes: ["./conf:/conf"] }\n'
  expect(await warningsOf(outside, { 'web/Dockerfile': 'FROM x', 'conf/a': '' })).toMatchInlineSnapshot(`
    "compose/unsupported at compose.yaml:2:32
    service 'web': /conf can only be read.
    conf is not in the build context, so it is brought as files.
    -> Mount a folder of the build context, or let it be read-only."
  `)
})

test('the call', async () => {
  const yaml = service('')
  expect(await errorsOf(yaml, `3 as never`)).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:2:61
    compose: the first argument must be the path of a file, or several.
    -> Write compose('compose.yaml')."
  `)
  expect(await errorsOf(yaml, `'compose.yaml', 'x' as never`)).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:2:61
    compose needs its options as an object.
    -> Options: services, except, profiles, live, process, apps."
  `)
  expect(await errorsOf(yaml, `'compose.yaml', { profile: ['x'] } as never`)).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:2:61
    compose: there is no option \`profile\`.
    -> Options: services, except, profiles, live, process, apps."
  `)
  expect(await errorsOf(yaml, `'compose.yaml', { services: 'web' as never }`)).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:2:61
    compose: \`services\` must be an array of names.
    -> For instance services: ['web']."
  `)
  expect(await errorsOf(yaml, `'compose.yaml', { process: ['web'] as never }`)).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:2:61
    compose: \`process\` must be an object with the names of services.
    -> For instance process: { web: { ... } }."
  `)
  expect(await errorsOf(yaml, `'compose.yaml', { live: { web: {} as never } }`)).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:2:61
    compose: \`live.web\` must be an array of live rules.
    -> For instance live: { web: [sync('src', '/app/src')] }."
  `)
  expect(await errorsOf(yaml, `'compose.yaml', { live: { web: [sync('a', '/a')] } }`)).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:2:61
    compose: \`live\` names the service 'web', whose image is not built here.
    -> Give it a \`build\` in the Compose file."
  `)
  expect(await errorsOf(yaml, `'compose.yaml', { process: { wep: true } }`)).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:2:61
    compose: \`process\` names the service 'wep', which is not to run.
    -> Services that are: web."
  `)
  expect(await errorsOf(yaml, `'compose.yaml', { process: { web: true } }`)).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:2:61
    compose: the Compose file says no command for the service 'web'.
    -> Write process: { web: { command: ... } }."
  `)
  expect(await errorsOf(yaml, `'compose.yaml').map((one) => (one as any, compose('compose.yaml').service('wep'))`))
    .toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:2:135
    There is no service 'wep'.
    -> Services: web."
  `)
})

test('what a service comes to is checked like any app', async () => {
  expect(await errorsOf(`services:\n  web: { image: "a b", working_dir: srv }`)).toMatchInlineSnapshot(`
    "devloopfile/invalid at compose.yaml:2:3
    app 'web': \`image\` must be an image, or a reference such as 'postgres:16'.
    Received 'a b'.
    -> Correct the value that the error names.

    devloopfile/invalid at compose.yaml:2:3
    app 'web': \`workdir\` must be an absolute path in the container.
    Received 'srv'.
    -> Correct the value that the error names."
  `)
  expect(await errorsOf('services:\n  a: { image: x, ports: ["80:80"] }\n  b: { image: x, ports: ["80:81"], depends_on: [a] }\n'))
    .toMatchInlineSnapshot(`
    "devloopfile/invalid at compose.yaml:3:3
    'b' and 'a' use the same local port 80.
    The other one stands at compose.yaml:2:3.
    -> Forward one of them to another port."
  `)
})
