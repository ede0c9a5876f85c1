// More folders than the system lets one user watch: slower, but never stale.
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { homes, project, watch } from '../support/devloop.js'
import { canLimitWatches, fewWatches } from '../support/few-watches.js'
import { freePort } from '../support/free-port.js'
import { waitFor } from '../support/wait-for.js'

const limit = 100
const why = canLimitWatches ? '' : ' (this user may not make user namespaces with a limit of their own)'

const server = `
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import { readdirSync, readFileSync } from 'node:fs'
createServer((request, response) => {
  const found = []
  for (const entry of readdirSync('src', { recursive: true, withFileTypes: true }))
    if (entry.isFile()) found.push((entry.parentPath + '/' + entry.name).slice(4) + ' ' + createHash('sha256').update(readFileSync(entry.parentPath + '/' + entry.name)).digest('hex'))
  response.end(found.sort().join('\\n'))
}).listen(Number(process.env.PORT))
`

test.skipIf(!canLimitWatches)(
  `with fewer watches than folders the sysctl is named once, and every change arrives${why}`,
  async () => {
    const [env, port] = [await homes(), await freePort()]
    const names = Array.from({ length: 240 }, (_, i) => `src/${i % 12}/${i}/f`)
    const folder = await project({
      'Devloopfile.ts': `
import { app, defineDevloop, image, sync } from 'devloop'
export default defineDevloop(() => ({
  name: 'shop',
  resources: [app('web', {
    image: image('shop/web', { live: [sync('src', '/app/src')] }), ports: { http: 8080 }, forward: { http: ${port} },
    process: { command: ['node', 'server.mjs'] },
  })],
}))
`,
      Dockerfile: 'FROM node\nWORKDIR /app\n',
      'server.mjs': server,
      ...Object.fromEntries(names.map((name) => [name, name])),
    })
    const tree = (): string => {
      const found: string[] = []
      for (const entry of readdirSync(join(folder, 'src'), { recursive: true, withFileTypes: true })) {
        const file = join(entry.parentPath, entry.name)
        if (!entry.isFile()) continue
        const hash = createHash('sha256').update(readFileSync(file)).digest('hex')
        found.push(`${file.slice(join(folder, 'src').length + 1)} ${hash}`)
      }
      return found.sort().join('\n')
    }
    const watching = await watch(['--runtime', 'process'], { cwd: folder, env, through: fewWatches(limit) })
    await watching.ready()
    const same = (what: string) =>
      waitFor(async () => (await (await fetch(`http://127.0.0.1:${port}`)).text()) === tree(), { what, timeoutMs: 60_000 })
    const warning = () => watching.session()?.problems.find(({ code }) => code === 'watch/limit')
    await waitFor(() => warning() !== undefined, { what: 'the warning' })
    expect(warning()?.message).toMatch(/^\d+ of \d+ folders cannot be watched, so changes in them are looked for every 10 s\.$/)
    expect(warning()?.why).toContain(`user.max_inotify_watches = ${limit}`)
    expect(warning()?.help).toContain('sudo sysctl user.max_inotify_watches=524288')
    // the watches that there are are used
    const pid = watching.session()?.pid ?? 0
    const watches = readdirSync(`/proc/${pid}/fdinfo`)
      .flatMap((name) => readFileSync(`/proc/${pid}/fdinfo/${name}`, 'utf8').split('\n'))
      .filter((line) => line.startsWith('inotify '))
    expect(watches.length).toBeGreaterThan(limit * 0.9)
    expect(watches.length).toBeLessThanOrEqual(limit)

    // in every folder, watched or not
    for (const name of names) writeFileSync(join(folder, name), `second ${name}`)
    await same('a save in each folder')
    let seed = 7
    const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below
    for (let round = 0; round < 3; round++) {
      for (let edit = 0; edit < 40; edit++) {
        const name = join(folder, names[random(names.length)] ?? '')
        const kind = random(4)
        mkdirSync(dirname(name), { recursive: true })
        if (kind === 0) rmSync(dirname(name), { recursive: true })
        else if (kind === 1) {
          mkdirSync(join(folder, `src/new${round}-${edit}/deep`), { recursive: true })
          writeFileSync(join(folder, `src/new${round}-${edit}/deep/f`), `${edit}`)
        } else if (kind === 2) {
          writeFileSync(name, `${round} ${edit}`)
          renameSync(name, `${name}-${round}-${edit}`)
        } else writeFileSync(name, `${round} ${edit}`)
      }
      await same(`round ${round}`)
    }
    const told = watching
      .output()
      .split('\n')
      .filter((line) => line.includes('folders cannot be watched'))
    expect(told).toHaveLength(1)
    expect(warning()).toBeDefined()
  },
  240_000,
)
