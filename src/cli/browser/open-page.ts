// Shows the page of a daemon in the browser.
import { spawn } from 'node:child_process'
import type { Discovery } from '../../protocol/messages.js'
import { browserFor, type Browser } from './browsers.js'
import { leadOnce } from './once.js'

/** How long a browser may take until it asks for the page. Milliseconds. */
const patience = 30_000
/** A program that fails does so at once; one that shows the page itself may go on until it is closed. Milliseconds. */
const failsWithin = 2_000

/** Address of the page, with the token where browsers keep it to themselves; undefined = this daemon serves none. */
export const pageAddress = ({ url, token }: Pick<Discovery, 'url' | 'token'>): string | undefined =>
  url === undefined ? undefined : `${url.replace(/\/+$/, '')}/#token=${token}`

/** Shows the page of a daemon. @returns whether a browser has been given it; false where there is no page */
export async function openPageOf(daemon: Pick<Discovery, 'url' | 'token'>): Promise<boolean> {
  const address = pageAddress(daemon)
  return address !== undefined && (await openPage(address))
}

/** @returns whether a browser has been given the page */
export async function openPage(address: string, env: NodeJS.ProcessEnv = process.env): Promise<boolean> {
  const direct = browserFor(address, env, process.platform)
  if (!direct) return false
  if (direct.isChosen) return started(direct)
  const once = await leadOnce(address, patience)
  const browser = browserFor(once.address, env, process.platform)
  const isStarted = browser ? started(browser) : Promise.resolve(false)
  try {
    // the browser may ask before the program that starts it has ended
    return await Promise.race([once.used, isStarted.then((well) => well && once.used)])
  } finally {
    once.close()
  }
}

/** Whether it could be started, and has not failed at once. */
function started({ command: [program = '', ...args] }: Browser): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { detached: true, stdio: 'ignore' })
    const timer = setTimeout(() => done(true), failsWithin)
    const done = (well: boolean): void => {
      clearTimeout(timer)
      child.unref()
      resolve(well)
    }
    child.once('error', () => done(false))
    child.once('exit', (code) => done(code === 0))
  })
}
