// Custom deploys: runs the user's commands, and observes what they made.
import { isMap, isSeq, LineCounter, parseAllDocuments } from 'yaml'
import { DevloopError, type ErrorInfo } from '../../../errors/devloop-error.js'
import { parseManifests } from '../../../model/parse-manifests.js'
import type { CustomSpec, KubeObject } from '../../../model/plan.js'
import type { ProcessRunner } from '../../../ports/process-runner.js'
import type { Deployed, DeployRequest, RuntimeOptions } from '../../../ports/runtime.js'
import type { AdoptedWatches } from '../adopted-watches.js'
import type { KubeConnection } from '../connection.js'
import { createKindCatalog } from '../deploy/kinds.js'
import { refOf } from '../deploy/look-at.js'
import { refPath } from '../deploy/remove-objects.js'
import { objectName } from '../deploy/rendered.js'
import { secretValues } from '../deploy/secret-values.js'
import { isWorkloadKind } from '../observe-workload.js'
import { workloadKey } from '../observe-resource.js'
import { adopter, selectedTemplate } from './adopt.js'
import { currentTemplate } from './current-template.js'
import { createCustomNotes } from './custom-notes.js'
import { runCommand } from './run-command.js'

export type CustomRequest = Omit<DeployRequest, 'resource'> & { readonly resource: CustomSpec }

export interface CustomDeployer {
  /** As Runtime.deploy. @throws DevloopError custom/*, cluster/*, state/unwritable */
  deploy(request: CustomRequest, signal: AbortSignal): Promise<Deployed>
  /**
   * Run the delete command that was noted for a resource, if there is one. @returns what is gone, for people
   * @throws DevloopError custom/failed, state/unwritable
   */
  remove(resource: string): Promise<readonly string[]>
  /** Names of resources that something was applied for, by this or an earlier run on this machine. */
  deployed(): Promise<readonly string[]>
}

/** @param life ends what is under way */
export function createCustomDeployer(
  connection: KubeConnection,
  options: RuntimeOptions,
  processes: ProcessRunner,
  watches: AdoptedWatches,
  life: AbortSignal,
): CustomDeployer {
  const notes = createCustomNotes(options.stateDir, connection)
  const kinds = createKindCatalog(connection)

  const parsed = (spec: CustomSpec, output: string): readonly KubeObject[] => {
    const { objects, problems } = parseManifests(output, '', { isMap, isSeq, LineCounter, parseAllDocuments })
    const lack = (why: string): DevloopError =>
      new DevloopError('custom/output', `The apply command of ${spec.name} did not print the objects that it applied.`, {
        why,
        where: spec.at,
      })
    // what a command prints that names a selector is its own affair
    if (spec.selector) return problems.length > 0 ? [] : objects.map(({ object }) => object)
    const [problem] = problems
    if (problem) throw lack([problem.message, problem.why, output.slice(0, 500)].filter(Boolean).join('\n'))
    if (objects.length === 0) throw lack('It printed nothing on stdout.')
    return objects.map(({ object }) => object)
  }

  /** Observe these objects instead of those of the deploy before. Resolves when their state was told. */
  const watch = (request: CustomRequest, objects: readonly KubeObject[], templates: readonly string[]): Promise<void> => {
    const { resource, images } = request
    const places = objects.map(({ kind, metadata }) => ({
      kind,
      namespace: metadata.namespace ?? connection.namespace,
      name: metadata.name,
    }))
    const makers = new Set(
      places
        .filter(({ kind }) => kind === 'Pod' || isWorkloadKind(kind))
        .map(({ kind, namespace, name }) => workloadKey(kind, namespace, name)),
    )
    const adopt = adopter({ resource: resource.name, makers, selector: resource.selector, images })
    return watches.watch(resource.name, { objects: places, adopt, templates })
  }

  const remove = async (resource: string): Promise<readonly string[]> => {
    const note = (await notes.all()).get(resource)
    if (!note) return []
    const { delete: command, cwd, env, timeoutMs } = note
    if (command !== undefined) {
      const run = { resource, project: options.project, what: 'delete', command, cwd, env, timeoutMs, at: undefined }
      await runCommand(processes, connection, { ...run, onOutput: () => {} })
    }
    await notes.set(resource, undefined)
    watches.stop(resource)
    return command === undefined ? [] : [`what the custom deploy ${resource} applied`]
  }

  return {
    async deploy(request, signal) {
      signal.throwIfAborted()
      const { resource: spec, images, onOutput = () => {} } = request
      const { name, cwd, timeoutMs, at } = spec
      const refs = spec.images.map((image) => images[image]?.ref ?? '')
      const env = {
        ...spec.env,
        DEVLOOP_IMAGES: JSON.stringify(Object.fromEntries(spec.images.map((image, index) => [image, refs[index]]))),
        ...Object.fromEntries(refs.map((ref, index) => [`DEVLOOP_IMAGE_${index}`, ref])),
      }
      // before it runs: if devloop dies in between, it is known that there may be something
      await notes.set(name, { ...(spec.delete === undefined ? {} : { delete: spec.delete }), cwd, env, timeoutMs })
      const run = { resource: name, project: options.project, what: 'apply', command: spec.apply, cwd, env, timeoutMs, at }
      const objects = parsed(spec, await runCommand(processes, connection, { ...run, onOutput }))
      options.onSecrets?.(secretValues(objects))
      const within = objects.map((object) => ({
        object: { ...object, metadata: { namespace: connection.namespace, ...object.metadata } },
      }))
      const kindOf = await kinds.resolve(within, life)
      const found = await Promise.all(within.map(({ object }) => currentTemplate(connection, refPath(refOf(object, kindOf)))))
      const templates = [...new Set(found.flatMap((one) => one ?? [])), ...(spec.selector ? [selectedTemplate] : [])]
      await watch(request, objects, templates)
      return { objects: objects.map(objectName), templates, warnings: unrestartable(request) }
    },
    remove,
    async deployed() {
      return [...(await notes.all()).keys()]
    },
  }
}

/** devloop does not write the commands of these containers, so it cannot put its wrapper before them. */
const unrestartable = ({ resource: { name, images, at }, restartable }: CustomRequest): readonly ErrorInfo[] =>
  images
    .filter((image) => restartable.has(image))
    .map(
      (image) =>
        new DevloopError(
          'restart/unsupported',
          `Pods of ${name} cannot be restarted in place, as a rule of image ${image} asks for.`,
          {
            why: 'Its own command makes them, and devloop changes nothing of them. Saves are written into their containers.',
            where: at,
            help: 'Let a program in the container watch its files, let devloop deploy it, or name such files in `rebuildOn`, too: then a save of them rebuilds the image.',
          },
        ).info,
    )
