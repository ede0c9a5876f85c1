// Debian's Chromium without a window, for what is measured in the page.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { chromium } from 'playwright-core'

const program = process.env.DEVLOOP_TEST_CHROMIUM ?? '/usr/bin/chromium'

/** Why there is no browser; undefined = there is one. */
export const noBrowser = () => (existsSync(program) ? undefined : `it needs Chromium: there is no ${program}`)

/** @returns the first page of a browser of its own, and what closes it. Its folder in `home` also names its processes. */
export async function openBrowser(home, cleanup) {
  const folder = join(home, 'chromium')
  const context = await chromium.launchPersistentContext(folder, {
    executablePath: program,
    headless: true,
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
  const close = cleanup.add('chromium', () => context.close())
  return { page: context.pages()[0], folder, close }
}
