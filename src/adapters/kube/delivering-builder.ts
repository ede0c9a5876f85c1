// The builder as the cluster's runtime offers it: where there is no registry, images still get to the nodes, or it is said why not.
import { writeFile } from 'node:fs/promises'
import { DevloopError } from '../../errors/devloop-error.js'
import type { ImageConfig } from '../../model/build-record.js'
import { imageArchive } from '../../model/program-image.js'
import type { EngineBuilder, ImageBuilder } from '../../ports/image-builder.js'
import type { KubeConnection } from './connection.js'
import { chooseDelivery, isOnNodes, listNodes, loadImage, type Delivery } from './image-delivery.js'
import { statusOf } from './errors.js'

/** Of an image that is only pulled: what it runs is asked of nobody, so that no engine is needed for it. */
const unknownConfig: ImageConfig = { entrypoint: [], cmd: [], workingDir: '/', user: '', shell: true }

const silent = { step: (): void => {}, log: (): void => {} }

/** @param hidden a registry of the cluster's own that nothing outside of it reaches */
export function deliveringBuilder(
  builder: EngineBuilder,
  connection: KubeConnection,
  hidden?: { /** How that can be changed. */ readonly help: string },
): ImageBuilder {
  const { context, product } = connection

  /** Asked anew each time: the engine may be another one by now. @throws DevloopError registry/none, cluster/*, engine/* */
  const deliver = async (image: string, signal: AbortSignal): Promise<Delivery> => {
    const nodes = await listNodes(connection, signal).catch((thrown: unknown) => {
      if (statusOf(thrown)?.code === 403) return []
      throw thrown
    })
    const found = chooseDelivery(product, context, await builder.identity(signal), nodes)
    if (found) return found
    throw new DevloopError('registry/none', `No registry is known that ${image} could be pushed to and pulled from.`, {
      why: hidden
        ? `The Devloopfile names none, and that of the cluster of context "${context}" cannot be reached from outside.`
        : `The Devloopfile names none, and the cluster of context "${context}" announces none that you may read.`,
      help: [hidden?.help, "Name one in the Devloopfile: cluster: { registry: 'HOST:PORT' }"].filter(Boolean).join(' Or: '),
    })
  }

  return {
    ...(builder.pruner ? { pruner: builder.pruner } : {}),
    async build(request, progress, signal) {
      const { pulled } = request.image
      if (pulled) return { digest: pulled.ref, ref: pulled.ref, config: unknownConfig }
      if (request.registry) return builder.build(request, progress, signal)
      const delivery = await deliver(request.image.name, signal)
      const built = await builder.build(request, progress, signal)
      if (delivery.kind === 'load') {
        progress.stage('push')
        await loadImage(builder, built.ref, delivery.command, progress, signal)
      }
      return built
    },
    async provide(image, registry, told, signal) {
      if (registry) return builder.provide(image, registry, told, signal)
      const delivery = await deliver(image.name, signal)
      if (delivery.kind === 'shared') return builder.provide(image, undefined, told, signal)
      const reference = `${image.name}:${image.tag}`
      if (isOnNodes(reference, await listNodes(connection, signal))) return reference
      const save = (name: string, file: string): Promise<void> => writeFile(file, imageArchive(image, name), { signal })
      await loadImage({ save }, reference, delivery.command, { ...silent, log: told.log }, signal)
      return reference
    },
    async exists(record, registry, signal) {
      // nodes pull it by themselves, or say that they cannot
      if (record.pulled) return true
      if (!(await builder.exists(record, registry, signal))) return false
      if (registry) return true
      const delivery = await deliver(record.image, signal)
      if (delivery.kind === 'shared' || isOnNodes(record.ref, await listNodes(connection, signal))) return true
      // the engine has it: to load it again is quicker than to build it
      await loadImage(builder, record.ref, delivery.command, silent, signal)
      return true
    },
  }
}
