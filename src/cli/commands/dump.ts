// `devloop dump`: one file for a bug report, also where the daemon does not answer, or does not run.
import { resolve } from 'node:path'
import { connectDevloop, findDaemon } from '../../client/index.js'
import { toErrorInfo } from '../../errors/devloop-error.js'
import type { FromDaemon } from '../../daemon/dump/make-dump.js'
import { exitCodes } from '../exit.js'
import { devloopfileIfAny } from '../find-devloopfile.js'
import { interruptible } from '../interrupted.js'
import { printJson } from '../print-json.js'
import { fileStamp, writePrivate } from '../private-file.js'
import { version } from '../version.js'

export interface DumpCommandOptions {
  readonly file?: string
  readonly context?: string
  readonly namespace?: string
  readonly output?: string
  readonly json?: boolean
}

/** How long the daemon is waited for, for each of two answers. Milliseconds. */
const patience = 5000

/** @param args for the Devloopfile */
export const dump = (args: readonly string[], { file, output, json, ...options }: DumpCommandOptions): Promise<number> =>
  interruptible(async (signal) => {
    const devloopfile = devloopfileIfAny(file)
    const daemon = devloopfile === undefined ? undefined : await askDaemon(devloopfile, signal)
    const { makeDump } = await import('../../daemon/dump/make-dump.js')
    const made = await makeDump({ ...options, args, version, file: devloopfile, daemon }, signal)
    const path = resolve(output ?? `devloop-dump-${fileStamp()}.json`)
    await writePrivate(path, `${JSON.stringify(made, undefined, 2)}\n`)
    if (json) printJson({ file: path, daemon: wordOf(daemon) })
    else process.stdout.write(`${path}\n\n${advice(daemon)}\n`)
    return exitCodes.ok
  })

const wordOf = (daemon: FromDaemon | undefined): 'answers' | 'silent' | 'not running' =>
  daemon ? (daemon.views ? 'answers' : 'silent') : 'not running'

function advice(daemon: FromDaemon | undefined): string {
  const missing = {
    answers: '',
    silent: 'devloop runs and did not answer: its state is not in the file.\n',
    'not running': 'devloop does not run: its state is not in the file. What it wrote into its log is.\n',
  }[wordOf(daemon)]
  return `${missing}Nothing is sent anywhere. Values of Secrets, tokens, passwords and variables were taken out as far as devloop knows them.
Look at the file before you pass it on: it names files, folders, hosts, images and resources of yours. Where something may be left that
only you know to be secret: \`devloopfile\` (its text), \`log\` (devloop's own), \`doctor\`, and \`why\` of any error.`
}

/** Undefined = none runs. */
async function askDaemon(devloopfile: string, signal: AbortSignal): Promise<FromDaemon | undefined> {
  const discovery = await findDaemon({ devloopfile })
  if (!discovery) return undefined
  const client = connectDevloop({ endpoint: { socket: discovery.socket }, name: `devloop ${version}`, reconnect: false })
  try {
    await client.whenOpen({ timeoutMs: patience, signal })
    const views = [...client.views().values()]
    return await client.request('dump', {}, { timeoutMs: patience, signal }).then(
      (state) => ({ discovery, views, state }),
      // one of another version
      (thrown: unknown) => ({ discovery, views, why: toErrorInfo(thrown) }),
    )
  } catch (thrown) {
    signal.throwIfAborted()
    return { discovery, why: toErrorInfo(thrown) }
  } finally {
    client.close()
  }
}
