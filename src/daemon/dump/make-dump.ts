// A bug report: all that is known of one project's devloop, with the secrets taken out.
import { open, readFile } from 'node:fs/promises'
import { arch, cpus, freemem, loadavg, platform, release, totalmem, userInfo } from 'node:os'
import { join } from 'node:path'
import { realpath } from 'node:fs/promises'
import { machineId } from '../../adapters/disk/machine-id.js'
import { stateDir as userStateDir } from '../../adapters/disk/xdg.js'
import { isAbort, toErrorInfo, type ErrorInfo } from '../../errors/devloop-error.js'
import { instanceId } from '../../model/instance.js'
import type { Plan, SealedTexts } from '../../model/plan.js'
import type { Discovery, DumpResult, View } from '../../protocol/messages.js'
import { createSecretMask } from '../../store/secret-mask.js'
import { examine } from '../doctor/doctor.js'
import type { DoctorReport } from '../doctor/finding.js'
import { loadWithSealed } from '../down.js'
import { formsOf, knownSecrets } from './known-secrets.js'
import { planShape, planValues } from './plan-shape.js'
import { hidden, isSecretName, redactCode, redactText, redactValue } from './redact.js'

/** What was had of a running daemon. */
export interface FromDaemon {
  /** As in the discovery file. */
  readonly discovery: Discovery
  /** Undefined = it did not answer in time; `why` then says more. */
  readonly views?: readonly View[]
  readonly state?: DumpResult
  readonly why?: ErrorInfo
}

export interface DumpOptions {
  readonly file: string | undefined
  readonly context?: string
  readonly namespace?: string
  readonly args: readonly string[]
  /** Of devloop. */
  readonly version: string
  /** Undefined = none runs. */
  readonly daemon: FromDaemon | undefined
}

/** The content of the file, as JSON. */
export interface Dump {
  readonly about: Readonly<Record<string, unknown>>
  readonly environment: Readonly<Record<string, string>>
  readonly daemon: unknown
  /** What went on in the newest daemon that ended because of a defect of devloop; null = none did. */
  readonly defect: unknown
  readonly devloopfile: { readonly file: string; readonly text: string } | { readonly error: ErrorInfo } | null
  readonly plan: unknown
  readonly doctor: DoctorReport | { readonly error: ErrorInfo }
  /** The last lines of the daemon's own log, which may be of several runs. */
  readonly log: readonly unknown[]
}

/** Variables that change what devloop does. Of all others not even the names are told. */
const told =
  /^(?:DEVLOOP_\w+|DOCKER_(?:HOST|CONTEXT|BUILDKIT|CONFIG|TLS_VERIFY|CERT_PATH)|KUBECONFIG|XDG_(?:STATE|CONFIG|RUNTIME)_(?:HOME|DIR)|(?:HTTPS?|NO|ALL|FTP)_PROXY|NODE_(?:OPTIONS|EXTRA_CA_CERTS|ENV)|REGISTRY_AUTH_FILE|CHOKIDAR_\w+|CI|SHELL|TERM|COLORTERM|NO_COLOR|FORCE_COLOR|LANG|LC_ALL|TZ|WSL_DISTRO_NAME|CODESPACES|TMUX)$/i

const logBytes = 300_000

/** Whatever cannot be had is told as an error in its place. @throws AbortError */
export async function makeDump(options: DumpOptions, signal: AbortSignal): Promise<Dump> {
  const { file, args, version, daemon } = options
  const secrets = await knownSecrets(process.env)
  const known = createSecretMask()
  known.add(secrets)
  if (daemon) addForms(known, 'token of the daemon', daemon.discovery)
  const [doctor, loaded] = await Promise.all([
    examine({ ...options, readOnly: true }, () => {}, signal).catch(orError),
    file === undefined ? undefined : loadWithSealed(await realpath(file), userInfo().username, signal, args).catch(orError),
  ])
  const plan = loaded && 'plan' in loaded ? loaded : undefined
  if (plan) for (const [name, value] of secretTexts(plan)) addAll(known, name, value)
  const redact = (text: string): string => redactText(known.text(text))
  const clean = (value: unknown): unknown => redactValue(value, redact)

  const folder = file === undefined ? undefined : await stateFolder(file)
  return {
    about: {
      madeAt: new Date().toISOString(),
      devloop: version,
      node: process.version,
      system: `${platform()} ${release()} ${arch()}`,
      cpus: cpus().length,
      load: loadavg(),
      memory: { free: freemem(), all: totalmem() },
      args: clean(args),
    },
    environment: clean(
      Object.fromEntries(Object.entries(process.env).filter(([name, value]) => told.test(name) && value !== undefined)),
    ) as Dump['environment'],
    daemon: daemon ? clean(await daemonSection(daemon)) : null,
    defect: folder ? clean(await jsonOf(join(folder, 'defect.json'))) : null,
    devloopfile: file === undefined ? null : await devloopfileSection(file, known.text, plan?.plan),
    plan: plan ? clean(planShape(plan.plan)) : clean(loaded ?? null),
    doctor: clean(doctor) as Dump['doctor'],
    log: folder ? (await lastLines(join(folder, 'daemon.log'))).map((line) => clean(lineOf(line))) : [],
  }
}

const orError = (thrown: unknown): { readonly error: ErrorInfo } => {
  if (isAbort(thrown)) throw thrown
  return { error: toErrorInfo(thrown) }
}

const stateFolder = async (file: string): Promise<string> =>
  join(
    userStateDir(process.env),
    instanceId({ devloopfile: await realpath(file), user: userInfo().username, machine: machineId() }),
  )

type Mask = ReturnType<typeof createSecretMask>

const addAll = (mask: Mask, name: string, value: string): void => mask.add(Object.fromEntries(formsOf(name, value)))

function addForms(mask: Mask, name: string, discovery: Discovery): void {
  for (const [field, value] of Object.entries(discovery))
    if (typeof value === 'string' && isSecretName(field)) addAll(mask, `${name} (${field})`, value)
}

/** The texts of a plan that are secret: those that it says are, and those of variables that are called like one. */
function* secretTexts({
  plan,
  sealed,
}: {
  readonly plan: Plan
  readonly sealed: SealedTexts
}): Iterable<readonly [string, string]> {
  for (const text of Object.values(sealed)) yield ['of the Devloopfile', text]
  for (const resource of Object.values(plan.resources)) {
    if (!('env' in resource)) continue
    for (const [name, value] of Object.entries<unknown>(resource.env)) {
      if (!isSecretName(name)) continue
      if (typeof value === 'string') yield [name, value]
      else if (Array.isArray(value))
        for (const part of value as readonly { readonly text?: unknown }[])
          if (typeof part.text === 'string') yield [name, part.text]
    }
  }
  for (const image of Object.values(plan.images))
    for (const [name, value] of Object.entries({ ...image.args, ...image.build?.env }))
      if (isSecretName(name)) yield [name, value]
}

async function daemonSection({ discovery, views, state, why }: FromDaemon): Promise<unknown> {
  const known = Object.fromEntries(Object.entries(discovery).filter(([name]) => !isSecretName(name)))
  return {
    answers: views !== undefined,
    ...(why ? { why } : {}),
    discovery: known,
    process: await processOf(discovery.pid),
    ...(views ? { views } : {}),
    ...(state ? { ...state } : {}),
  }
}

/** How the system sees a process, where it tells; of one that does not answer it is all there is. */
async function processOf(pid: number): Promise<unknown> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  const wanted = new Set(['State', 'VmRSS', 'VmSwap', 'Threads', 'FDSize'])
  const fields = text.split('\n').map((line) => line.split(/:\s+/))
  return Object.fromEntries(fields.filter(([name]) => wanted.has(name ?? '')).map(([name, value]) => [name, value?.trim()]))
}

/** Code and comments stay. Where the plan is not known, no text in quotes can be told from a secret: then only those of imports stay. */
async function devloopfileSection(
  file: string,
  mask: (text: string) => string,
  plan: Plan | undefined,
): Promise<Dump['devloopfile']> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (thrown) {
    return { error: toErrorInfo(thrown) }
  }
  const clean = redactCode(mask(text))
  if (!plan) return { file, text: withoutTexts(clean) }
  const values = createSecretMask()
  values.add(Object.fromEntries([...planValues(plan)].map((value, index) => [`value ${index + 1}`, value])))
  return { file, text: redactCode(values.text(clean)) }
}

const withoutTexts = (code: string): string =>
  code.replace(
    /(\bfrom\s*|\bimport\s*\(?\s*)?(["'`])((?:\\[^]|(?!\2)[^\\])*)\2/g,
    (all, isImport: string | undefined, quote: string) => (isImport ? all : `${quote}${hidden}${quote}`),
  )

async function jsonOf(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as unknown
  } catch {
    return null
  }
}

/** A line of the log is JSON, unless it was cut off. */
function lineOf(line: string): unknown {
  try {
    return JSON.parse(line) as unknown
  } catch {
    return line
  }
}

async function lastLines(file: string): Promise<readonly string[]> {
  try {
    const opened = await open(file)
    try {
      const { size } = await opened.stat()
      const buffer = Buffer.alloc(Math.min(size, logBytes))
      await opened.read(buffer, 0, buffer.length, size - buffer.length)
      const lines = buffer.toString('utf8').split('\n')
      // the first may be the end of a longer one
      return (size > buffer.length ? lines.slice(1) : lines).filter((line) => line !== '')
    } finally {
      await opened.close()
    }
  } catch {
    return []
  }
}
