// Helm releases, by the `helm` of this machine: version 3.13 or newer.
import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { DevloopError, isDevloopError } from '../../errors/devloop-error.js'
import { compileGlobs } from '../../model/globs.js'
import type { ProcessRunner } from '../../ports/process-runner.js'
import type { ReleasePlace, ReleaseTool, ReleaseUpgrade } from '../../ports/release-tool.js'
import { helmArguments } from './helm-arguments.js'
import { helmInputs } from './helm-chart.js'
import { helmWords } from './helm-errors.js'
import { hashOf } from './hash-of.js'
import { servePostRenderer } from './post-renderer.js'
import { findTool, isNetworkTrouble, missingTool, runTool, type ToolResult } from './tool.js'

/** Beside the time for hooks: for fetching a chart, and for sending its objects. Milliseconds. */
const ownTimeMs = 120_000
/** Milliseconds from the end of devloop until Helm is told to stop, and from there until it must have. */
const [patienceMs, graceMs] = [1500, 2000]
/** `--labels` and the dry run by the server came with it. */
const oldest = [3, 13] as const

export function createReleaseTool(processes: ProcessRunner): ReleaseTool {
  const helm = async (
    { resource, kubeconfig, at }: ReleasePlace,
    args: readonly string[],
    limits: { readonly timeoutMs: number; readonly env?: Readonly<Record<string, string>>; readonly signal: AbortSignal },
    patient = false,
  ): Promise<ToolResult> => {
    const folder = await mkdtemp(join(tmpdir(), 'devloop-helm-'))
    const file = join(folder, 'kubeconfig')
    try {
      await writeFile(file, kubeconfig, { mode: 0o600 })
      return await runTool(processes, {
        ...limits,
        ...(patient ? { patienceMs, graceMs } : {}),
        command: ['helm', ...args],
        cwd: tmpdir(),
        env: { ...clusterless(), ...limits.env, KUBECONFIG: file },
      })
    } catch (thrown) {
      if (!isDevloopError(thrown)) throw thrown
      if (thrown.code === 'local/start') throw missingTool('helm', `The release of ${resource}`)
      if (thrown.code !== 'render/timeout') throw thrown
      throw new DevloopError('release/failed', thrown.message, { why: thrown.info.why, where: at })
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }

  const versionFor = async (place: ReleasePlace, signal: AbortSignal): Promise<number> => {
    if ((await findTool(['helm'])) === undefined) throw missingTool('helm', `The release of ${place.resource}`)
    const { stdout } = await helm(place, ['version', '--template', '{{.Version}}'], { timeoutMs: ownTimeMs, signal })
    const [major = 0, minor = 0] = (/v?(\d+)\.(\d+)/.exec(stdout) ?? []).slice(1).map(Number)
    if (major > oldest[0] || (major === oldest[0] && minor >= oldest[1])) return major
    const message = `The release of ${place.resource} needs Helm ${oldest.join('.')} or newer.`
    throw new DevloopError('tool/version', message, { why: `\`helm version\` says ${stdout.trim()}.`, where: place.at })
  }

  /** @param dry nothing is changed, and stdout is the release as JSON */
  const run = async (upgrade: ReleaseUpgrade, dry: boolean, signal: AbortSignal): Promise<string> => {
    const { spec, name, namespace, labels, finish, at } = upgrade
    const major = await versionFor(upgrade, signal)
    if (major < 4) refuseHookImage(upgrade)
    const plugins =
      major < 4 ? '' : (await helm(upgrade, ['env', 'HELM_PLUGINS'], { timeoutMs: ownTimeMs, signal })).stdout.trim()
    const [args, renderer] = await Promise.all([helmArguments(spec), servePostRenderer({ major, plugins }, finish)])
    const hooks = spec.objects.filter(({ object }) => object.metadata.annotations?.['helm.sh/hook'] !== undefined).length
    const command = [
      'upgrade',
      ...args.chart,
      '--install',
      '--namespace',
      namespace,
      // without any values, Helm would take those of the revision before
      '--reset-values',
      ...args.values,
      ...(spec.crds ? [] : ['--skip-crds']),
      ...Object.entries(labels).flatMap(([key, value]) => ['--labels', `${key}=${value}`]),
      '--timeout',
      `${spec.release.timeoutMs}ms`,
      ...renderer.args,
      ...(dry ? ['--dry-run=server', '--output', 'json'] : []),
    ]
    try {
      const timeoutMs = (hooks + 1) * spec.release.timeoutMs + ownTimeMs
      const { exitCode, stdout, stderr } = await helm(upgrade, command, { timeoutMs, env: renderer.env, signal }, !dry)
      // what we threw is told in Helm's words only as that its post-renderer failed
      const thrown = renderer.thrown()
      if (thrown !== undefined) throw thrown
      if (exitCode !== 0)
        throw releaseError({ name, namespace, at }, `The release ${name} could not be brought to what ${spec.name} is.`, stderr)
      return stdout
    } finally {
      await Promise.all([args.discard(), renderer.close()])
    }
  }

  return {
    async chartKey(spec) {
      if ('path' in spec.chart) {
        const hashes = (await helmInputs(spec)).map(({ root, except }) => {
          const excepted = compileGlobs(except)
          return hashOf([root], (path) => excepted(relative(root, path)))
        })
        return createHash('sha256')
          .update((await Promise.all(hashes)).join())
          .digest('hex')
      }
      const exact = /^v?\d+\.\d+\.\d+(?:[-+].*)?$/.test(spec.chart.version ?? '')
      const files = await hashOf(spec.values.flatMap((one) => ('file' in one ? one.file : [])))
      const content = exact ? spec.chart : spec.objects.map(({ object }) => object)
      return createHash('sha256')
        .update(JSON.stringify([content, files]))
        .digest('hex')
    },
    async upgrade(upgrade, signal) {
      const said = await run(upgrade, false, signal)
      for (const line of said.split('\n')) if (line.trim() !== '') upgrade.onOutput?.(line)
    },
    async tryUpgrade(upgrade, signal) {
      const release = JSON.parse(await run(upgrade, true, signal)) as {
        manifest: string
        hooks?: readonly { manifest: string }[]
      }
      return [release.manifest, ...(release.hooks ?? []).map(({ manifest }) => manifest)].join('\n---\n')
    },
    async manifest(place, hooks, signal) {
      const get = async (what: string): Promise<string> => {
        const args = ['get', what, place.name, '--namespace', place.namespace]
        const { exitCode, stdout, stderr } = await helm(place, args, { timeoutMs: ownTimeMs, signal })
        if (exitCode !== 0) throw releaseError(place, `The release ${place.name} could not be read.`, stderr)
        return stdout
      }
      await versionFor(place, signal)
      return hooks ? `${await get('manifest')}\n${await get('hooks')}` : get('manifest')
    },
    async uninstall(removal) {
      const { name, namespace, wait, timeoutMs } = removal
      const signal = new AbortController().signal
      const major = await versionFor(removal, signal)
      const waiting = wait ? ['--cascade', 'foreground', major < 4 ? '--wait' : '--wait=watcher'] : []
      const args = ['uninstall', name, '--namespace', namespace, '--ignore-not-found', ...waiting, '--timeout', `${timeoutMs}ms`]
      const { exitCode, stderr } = await helm(removal, args, { timeoutMs: 2 * timeoutMs + ownTimeMs, signal })
      if (exitCode !== 0) throw releaseError(removal, `The release ${name} could not be uninstalled.`, stderr)
    },
  }
}

/** Helm's own variables that would lead it to another cluster than the guarded one. */
const clusterless = (): Record<string, string> =>
  Object.fromEntries(Object.keys(process.env).flatMap((key) => (/^HELM_(?:KUBE|NAMESPACE|DEBUG)/.test(key) ? [[key, '']] : [])))

function releaseError(
  { name, namespace, at }: Pick<ReleasePlace, 'name' | 'namespace' | 'at'>,
  message: string,
  stderr: string,
): DevloopError {
  const why = helmWords(stderr)
  if (/another operation \(install\/upgrade\/rollback\) is in progress/.test(why))
    return new DevloopError('release/pending', message, { why, where: at })
  if (isNetworkTrouble(why)) return new DevloopError('render/unreachable', message, { why, where: at })
  const help = /invalid ownership metadata|cannot be imported/.test(why)
    ? 'Something else made this object: rename one of the two, or delete it.'
    : `See \`helm history ${name} -n ${namespace}\`. A change or a trigger tries it again; \`helm rollback ${name} -n ${namespace}\` goes back.`
  return new DevloopError('release/failed', message, { why, where: at, help })
}

/** Helm 3 hands no hooks to its post-renderer: what they run could not be replaced. @throws DevloopError tool/version */
function refuseHookImage({ spec, hookImage }: ReleaseUpgrade): void {
  if (!hookImage) return
  const { hook, reference, at } = hookImage
  throw new DevloopError('tool/version', `The release of ${spec.name} needs Helm 4.`, {
    why: `The hook ${hook} runs ${reference}, and Helm 3 does not let what its hooks run be replaced.`,
    where: at,
    help: 'Install Helm 4, or leave out `release`: then devloop applies the hook like all other objects.',
  })
}
