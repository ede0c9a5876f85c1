// One app for both loops: `devloop watch` at the desk, and what `devloop eject` writes in the pipeline.
import { app, config, defineDevloop, image, restart, sync } from 'devloop'

export default defineDevloop(({ args }) => {
  const [base] = args
  const settings = config('settings', { values: { GREETING: 'hello' } })
  const server = image('outer/api', {
    context: 'api',
    target: 'dev',
    ...(base === undefined ? {} : { args: { BASE: base } }),
    live: [sync('src', '/app/src'), restart({ on: 'src/**' })],
  })
  const api = app('api', {
    image: server,
    ports: { http: 8080 },
    forward: { http: { local: 8080, fallback: 'next-free' } },
    envFrom: [settings],
    probe: { http: '/' },
    expose: true,
  })
  return { name: 'outer', resources: [settings, api] }
})
