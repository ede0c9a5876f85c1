// A Compose file brought to a cluster: its services are resources like any others.
//   on a cluster:       npx devloop watch
//   without a cluster:  npx devloop watch --runtime process
import { compose, defineDevloop, restart } from 'devloop'

const start = { command: ['node', 'src/server.js'] }

export default defineDevloop(({ user }) => ({
  name: 'example-compose',
  cluster: { namespace: `example-compose-${user}` },
  resources: [
    ...compose('compose.yaml', {
      // the file mounts the greeter's sources; what a change of them leads to, it cannot say
      live: { greeter: [restart({ on: 'src/**' })] },
      // how to run them without containers
      process: { web: start, greeter: start, check: true },
    }),
  ],
}))
