// `devloop open`: the page of the running daemon, in the browser.
import { DevloopError } from '../../errors/devloop-error.js'
import { otherWays } from '../browser/browsers.js'
import { openPage, pageAddress } from '../browser/open-page.js'
import { meantDaemon } from '../daemons.js'
import { printJson } from '../print-json.js'
import { exitCodes } from '../exit.js'

export interface OpenOptions {
  readonly file?: string
  /** With the token that only lets look. */
  readonly readOnly?: boolean
  /** Only print the address. */
  readonly print?: boolean
  readonly json?: boolean
}

/** @param name of a project, or a path; undefined = the one of the Devloopfile */
export async function open(name: string | undefined, { file, print, json, readOnly = false }: OpenOptions): Promise<number> {
  const daemon = await meantDaemon(name, file)
  const address = pageAddress(readOnly ? { ...daemon, token: daemon.readToken } : daemon)
  if (daemon.url === undefined || address === undefined)
    throw new DevloopError('request/refused', 'this devloop serves no page', { help: 'It is served by `devloop watch`.' })
  if (json) printJson({ project: daemon.project, url: daemon.url, address })
  else if (print) process.stdout.write(`${address}\n`)
  else if (await openPage(address)) process.stdout.write(`opened ${daemon.url}\n`)
  else
    process.stdout.write(
      `${[`no browser can be shown here; the page is at`, `  ${address}`, ...otherWays(daemon.url, process.env)].join('\n')}\n`,
    )
  return exitCodes.ok
}
