// A tour of the API over the small apps in examples/.
//   without a cluster:  npm run demo
//   on a cluster:       npx devloop watch --file Devloopfile.example.ts
// A Devloopfile is TypeScript: point at anything for its meaning, and a typing mistake does not compile.
import { app, defineDevloop, generated, ignore, image, local, manifests, rebuildOn, restart, run, sync, text } from 'devloop'

export default defineDevloop(({ user, args, runtime }) => {
  // what stands after `--` on the command line; here: another base image with Node and a shell
  const [base = 'node:20-alpine'] = args

  // A value made once, in the cluster: never on this machine's disk, never in a log.
  const token = generated('api-token')

  // Something that is built from a folder, and what a saved file of that folder leads to.
  const apiImage = image('example/api', {
    context: 'examples/api',
    args: { BASE: base },
    live: [
      sync('src', '/app/src'), //                          goes into the running container
      restart({ on: 'src/**' }), //                        and the process there is replaced, not the pod
      sync('config.json', '/app/config.json'),
      restart({ on: 'config.json', signal: 'SIGHUP' }), // what reloads by itself is only told; see also notify(...)
      sync('package.json', '/app/package.json'),
      run('node --version', { on: 'package.json' }), //    a step in the container, such as `npm ci`
      rebuildOn('Dockerfile'), //                          as would any file that no rule covers
    ],
  })
  // Something that runs. On Kubernetes devloop writes the objects; `process` says how to run it without a cluster.
  const api = app('api', {
    image: apiImage,
    ports: { http: 8080 },
    env: { API_TOKEN: token },
    // debug: 'node', //                                  starts it under its debugger: attach to localhost:9229
    process: { command: ['node', 'src/server.js'] },
  })

  const webImage = image('example/web', {
    context: 'examples/web',
    args: { BASE: base },
    live: [
      ignore('*.md'), //                                   changes of these lead to nothing
      sync('public', '/app/public'), //                    read anew for each request: no restart
      sync('src', '/app/src'),
      restart({ on: 'src/**' }),
    ],
  })
  const web = app('web', {
    image: webImage,
    ports: { http: 8080 },
    forward: { http: 8090 }, //                            http://localhost:8090
    needs: [api], //                                       is started when the api is ready
    // `text` keeps what it refers to, and whether that is secret; a plain template with a reference is an error
    env: { API_URL: text`http://${api.address}` },
    process: { command: ['node', 'src/server.js'] },
  })

  return {
    name: 'example',
    // Known local clusters need no mention; any other must be named before devloop writes to it.
    cluster: { contexts: ['*-dev'], namespace: `example-${user}` },
    resources: [
      api,
      web,
      // Your own YAML, with the image that was built put in.
      runtime === 'kubernetes' &&
        manifests('greeter', 'examples/manifests/*.yaml', { images: [apiImage], forward: { 8080: 8091 } }),
      // A command on this machine, at the start and when a watched file changes.
      local('todo', { run: "grep -rn TODO examples || echo 'nothing left to do'", watch: 'examples/**' }),
    ],
  }
})
