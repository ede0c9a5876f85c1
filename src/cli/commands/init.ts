// `devloop init`: finds out what a source tree holds, and writes what devloop needs to run it.
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Question } from '../../scaffold/component.js'
import type { InitRun } from '../../scaffold/init.js'
import { exitCodes } from '../exit.js'

export interface InitCommandOptions {
  readonly yes?: boolean
  readonly json?: boolean
  readonly dryRun?: boolean
  readonly force?: boolean
  readonly bases?: string
  readonly mirror?: string
  readonly context?: string
}

/** @param folder of the project; default: the working folder */
export async function init(folder: string | undefined, options: InitCommandOptions): Promise<number> {
  const { startInit } = await import('../../scaffold/init.js')
  const { reportData, reportText } = await import('../../scaffold/report.js')
  const { dryRun = false, json = false } = options
  const asks = !options.yes && !json && process.stdin.isTTY === true && process.stdout.isTTY === true
  if (!asks && !options.yes && !json) note('this is no terminal: what cannot be known is decided as with --yes')
  const context = await contextOf(options)
  const config = process.env.XDG_CONFIG_HOME || join(homedir(), '.config')
  const run = startInit({ ...options, folder, context, userBases: join(config, 'devloop', 'bases.yaml') })

  const answers = asks && !run.isKept ? await ask(run) : new Map<string, string>()
  if (!answers) return exitCodes.interrupted
  const plan = run.plan(answers)
  const changes = run.changes(plan)
  if (!run.isKept && !dryRun) run.write(changes)
  const how = { isKept: run.isKept, dryRun }
  if (json) {
    process.stdout.write(`${JSON.stringify(reportData(plan, changes, how), undefined, 2)}\n`)
    return exitCodes.ok
  }
  process.stdout.write(reportText(plan, changes, how))
  if (dryRun && !run.isKept) for (const { path, text } of changes) process.stdout.write(`\n--- ${path}\n${text}`)
  else process.stdout.write(`\nNext: devloop watch${folder === undefined || folder === '.' ? '' : ` (in ${folder})`}\n`)
  return exitCodes.ok
}

/** The one that is named, else the kubeconfig's current one, unless it sounds like a cluster where nobody develops. */
async function contextOf({ context }: InitCommandOptions): Promise<string | undefined> {
  const { currentContext, soundsLikeProduction } = await import('../../scaffold/current-context.js')
  const found = context ?? currentContext(process.env)
  if (context !== undefined || found === undefined || !soundsLikeProduction(found)) return found
  note(`the current context is '${found}', which sounds like production: it is not allowed. Name another with --context.`)
  return undefined
}

/** Each question once; an answer may lead to others. @returns undefined when the person leaves */
async function ask(run: InitRun): Promise<ReadonlyMap<string, string> | undefined> {
  const answers = new Map<string, string>()
  for (;;) {
    const open = run.plan(answers).questions.find(({ id }) => !answers.has(id))
    if (!open) return answers
    const answer = await prompt(open)
    if (answer === undefined) return undefined
    answers.set(open.id, answer)
  }
}

async function prompt({ message, choices, fallback }: Question): Promise<string | undefined> {
  const { isCancel, select, text } = await import('@clack/prompts')
  const answer =
    choices.length === 0
      ? await text({ message, initialValue: fallback })
      : await select({ message, options: choices.map(({ value, label }) => ({ value, label })), initialValue: fallback })
  return isCancel(answer) ? undefined : String(answer)
}

const note = (text: string): void => void process.stderr.write(`devloop: ${text}\n`)
