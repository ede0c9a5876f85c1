import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createHarness, file, never, sync, type Harness } from './harness.js'

let one: Harness
beforeEach(async () => {
  one = await createHarness()
})
afterEach(() => one.close())

const example = (name: string): string => fileURLToPath(new URL(`../../../../examples/${name}`, import.meta.url))

it('the examples run together, and a save of either is served', async () => {
  const images = ['api', 'web'].map((name) => {
    const context = join(one.dir, name)
    cpSync(example(name), context, { recursive: true })
    const live = [sync('src', '/app/src'), sync('public', '/app/public')]
    return one.image({ name: `example/${name}`, context, dockerfile: { path: join(context, 'Dockerfile') }, live })
  })
  const [apiImage, webImage] = await Promise.all(images.map((image) => one.build(image)))
  const api = one.app({ image: { built: 'example/api' } })
  const web = one.app({
    name: 'web',
    image: { built: 'example/web' },
    env: {
      API_URL: [
        { kind: 'literal', text: 'http://' },
        { kind: 'address', resource: 'api', part: 'address' },
      ],
    },
  })
  await Promise.all([one.deploy(api, apiImage, [web]), one.deploy(web, webImage, [api])])
  await Promise.all([one.ready('api'), one.ready('web')])
  expect(JSON.parse(await one.fetch('web', '/greeting?name=you'))).toMatchObject({ greeting: 'Hello, you!' })
  expect(await one.fetch('web')).toContain('<h1 id="greeting">')

  const apiSession = await one.session('api')
  await apiSession.apply([file('/app/src/greeting.js', 'export const greeting = () => `Good day.`\n')], never)
  await apiSession.restart(never)
  expect(JSON.parse(await one.fetch('web', '/greeting'))).toMatchObject({ greeting: 'Good day.' })

  const pods = one.observed.get('web')?.pods
  const webSession = await one.session('web', ['/app/src', '/app/public'])
  await webSession.apply([file('/app/public/style.css', 'h1 { color: teal }\n')], never)
  expect(await one.fetch('web', '/style.css')).toBe('h1 { color: teal }\n')
  expect(one.observed.get('web')?.pods).toEqual(pods)
})
