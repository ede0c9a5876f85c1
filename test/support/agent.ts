// The agent as it is built for this machine.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export interface BuiltAgent {
  /** The program. */
  readonly path: string
  readonly version: string
}

const here = (relative: string): string => fileURLToPath(new URL(`../../${relative}`, import.meta.url))

/** What `npm run build` makes, brought up to date where Go is; `missing` says why it is not there. */
export function builtAgent(): { agent: BuiltAgent; missing: string | undefined } {
  const said = execFileSync(process.execPath, [here('scripts/build-agent.mjs')], { encoding: 'utf8' }).trim()
  const path = here(`dist/agent/linux-${process.arch === 'arm64' ? 'arm64' : 'amd64'}`)
  const missing = existsSync(path) ? undefined : said || `there is no ${path}`
  return { agent: { path, version: missing ? '' : readFileSync(here('dist/agent/version'), 'utf8').trim() }, missing }
}
