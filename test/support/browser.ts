// Chromium that looks at the page of a daemon, and everything that it should not have seen there.
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'
import { afterAll, onTestFinished } from 'vitest'
import type { Discovery } from '../../src/protocol/messages.js'

/** Playwright's waits: generous, since the machine may be busy. */
export const patience = { timeout: 20_000 }

/** What the only daemon of a test says of how it is reached. @param env of `homes` */
export async function discoveryOf(env: Readonly<Record<string, string>>): Promise<Discovery> {
  const folder = join(env.XDG_RUNTIME_DIR ?? '', 'devloop')
  const name = (await readdir(folder)).find((one) => one.endsWith('.json')) ?? ''
  return JSON.parse(await readFile(join(folder, name), 'utf8')) as Discovery
}

/** The page's, with the token in it. */
export const addressOf = ({ url = '', token }: Pick<Discovery, 'url' | 'token'>): string => `${url}/#token=${token}`

/** DEVLOOP_TEST_CHROMIUM names another one. */
const program = process.env.DEVLOOP_TEST_CHROMIUM ?? '/usr/bin/chromium'

/** Why there can be no test with it; undefined = it is there. In CI it has to be. */
export const noBrowser = existsSync(program) || process.env.CI ? undefined : `there is no ${program}`

export interface Looking {
  readonly page: Page
  readonly context: BrowserContext
  /** Errors in the console, exceptions, and requests to anywhere but the page's own address. */
  readonly problems: string[]
  /** What axe-core finds that is serious or critical, as `rule: element`. */
  audit(): Promise<string[]>
}

export interface LookOptions {
  readonly width?: number
  readonly height?: number
  readonly colorScheme?: 'light' | 'dark'
  /** Of console errors, those that are part of what is tested. */
  readonly expected?: RegExp
}

let started: Promise<Browser> | undefined
afterAll(async () => (await started)?.close())

/** The browser of a test file. */
const browser = (): Promise<Browser> =>
  (started ??= chromium.launch({
    executablePath: program,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  }))

/** Open an address, in a profile that begins empty and ends with the test. */
export async function look(address: string, options: LookOptions = {}): Promise<Looking> {
  const { width = 1280, height = 800, colorScheme = 'light', expected } = options
  const opened = await browser()
  const context = await opened.newContext({ viewport: { width, height }, colorScheme, reducedMotion: 'reduce' })
  onTestFinished(() => context.close())
  const page = await context.newPage()
  const problems: string[] = []
  const { origin, host } = new URL(address)
  page.on('console', (message) => {
    if (message.type() === 'error' && !expected?.test(message.text())) problems.push(`console: ${message.text()}`)
  })
  page.on('pageerror', (error) => problems.push(`exception: ${error.message}`))
  page.on('request', (request) => {
    const url = new URL(request.url())
    if (url.origin !== origin && url.protocol !== 'data:') problems.push(`request: ${request.url()}`)
  })
  page.on('websocket', (socket) => {
    if (new URL(socket.url()).host !== host) problems.push(`socket: ${socket.url()}`)
  })
  await page.goto(address)
  return { page, context, problems, audit: () => audit(page) }
}

interface Findings {
  readonly violations: readonly {
    readonly id: string
    readonly impact: string | null
    readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[]
  }[]
}

async function audit(page: Page): Promise<string[]> {
  const source = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
  // by the debugger, which the page's policy does not concern
  await page.evaluate(`${source};0`)
  const { violations } = (await page.evaluate('axe.run(document, { resultTypes: ["violations"] })')) as Findings
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary ?? ''}`))
}
