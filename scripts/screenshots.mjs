// Pictures of the page for docs/page.md: `npm run -s build && node scripts/screenshots.mjs [FOLDER]`. The page and the server
// are the real ones; the project that they show is made up, so that every view has something to show.
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { chromium } from 'playwright-core'
import { exampleLogs, exampleViews } from './example-views.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = process.argv[2] ?? join(root, 'docs/images')
const home = await mkdtemp(join(tmpdir(), 'devloop-pictures-'))
await mkdir(folder, { recursive: true })
const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
const server = await serve()
const context = await chromium.launchPersistentContext(join(home, 'browser'), {
  executablePath: process.env.DEVLOOP_TEST_CHROMIUM ?? '/usr/bin/chromium',
  headless: true,
  timezoneId: 'UTC',
  locale: 'en-GB',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
})
try {
  const page = context.pages()[0] ?? (await context.newPage())
  const take = async (name, hash, { width = 1280, height = 800, dark = false, then } = {}) => {
    await page.setViewportSize({ width, height })
    await page.emulateMedia({ colorScheme: dark ? 'dark' : 'light', reducedMotion: 'reduce' })
    await page.goto('about:blank')
    await page.goto(`${server.url}/#token=${server.token}`)
    await page.getByText('kind-dev/dev-ann').waitFor()
    await page.evaluate(`location.hash = ${JSON.stringify(hash)}`)
    await then?.(page)
    // the frame in which it is drawn, and the one after
    await page.waitForTimeout(250)
    await page.screenshot({ path: join(folder, `${name}.png`) })
    process.stdout.write(`${name}.png\n`)
  }
  await take('page-overview', '#/', { height: 1120 })
  await take('page-overview-dark', '#/', { dark: true })
  await take('page-resource', '#/resource/api', { height: 1000 })
  await take('page-graph', '#/graph', { height: 760 })
  await take('page-changes', '#/changes')
  const search = async (one) => {
    await one.getByLabel('Search the log').fill('order')
  }
  await take('page-logs', '#/logs', { then: search })
  await take('page-logs-dark', '#/logs', { dark: true, then: search })
  await take('page-session', '#/session', { height: 640 })
  await take('page-small', '#/', { width: 400, height: 860 })
  await take('page-keys', '#/graph', { dark: true, then: (one) => one.keyboard.press('?') })
} finally {
  await context.close()
  await server.close()
  await rm(home, { recursive: true, force: true })
}

/** The status server of the sources, with the built page and the made-up state. */
async function serve() {
  const bundle = join(home, 'server.mjs')
  await build({
    absWorkingDir: root,
    stdin: {
      contents: "export * from './test/support/status-server.js'; export * from './src/server/page-files.js'",
      resolveDir: root,
      loader: 'ts',
    },
    outfile: bundle,
    bundle: true,
    platform: 'node',
    format: 'esm',
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    logLevel: 'error',
  })
  const { startTestServer, createPageFiles } = await import(pathToFileURL(bundle).href)
  const started = await startTestServer({ page: createPageFiles(join(root, 'dist/web')), version })
  started.views.set(...exampleViews)
  started.logs.append(exampleLogs())
  return started
}
