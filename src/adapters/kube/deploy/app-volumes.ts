// What is mounted into an app's pods: claims, empty folders, and ConfigMaps and Secrets with what devloop brings.
import { isUtf8 } from 'node:buffer'
import { createHash, createHmac, type Hmac } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { DevloopError, type ErrorInfo } from '../../../errors/devloop-error.js'
import { isSecretText, type AppSpec, type KubeObject, type VolumeFile, type VolumeSpec } from '../../../model/plan.js'

/** What of a cluster decides how volumes are made. */
export interface Storage {
  /** Whether a claim that names no class gets a volume. Undefined = that may not be asked. */
  readonly hasDefaultClass: boolean | undefined
}

export interface AppVolumes {
  readonly volumes: readonly object[]
  readonly mounts: readonly object[]
  readonly objects: readonly (Pick<KubeObject, 'apiVersion' | 'kind'> & {
    readonly name: string
    readonly [key: string]: unknown
  })[]
  readonly warnings: readonly ErrorInfo[]
  /** Of all that is brought, so that a change of it rolls out. Undefined = nothing is. */
  readonly contentHash: string | undefined
  /** Whether its data must not be used by two pods at once. */
  readonly exclusive: boolean
}

export interface AppVolumesInput {
  readonly app: AppSpec
  readonly storage: Storage
  /** Content of the files, by path on this machine. */
  readonly files: ReadonlyMap<string, Buffer>
  readonly resolve: (file: VolumeFile) => string
  /** Key of the hash: what the files hold may be secret. */
  readonly hashKey: string
}

/** Content of every file of this machine that an app's volumes hold. @throws DevloopError devloopfile/file */
export async function readVolumeFiles(app: AppSpec): Promise<ReadonlyMap<string, Buffer>> {
  const paths = (app.volumes ?? [])
    .flatMap((volume) => (volume.kind === 'files' ? volume.files : []))
    .flatMap(({ from }) => ('file' in from ? [from.file] : []))
  const read = async (path: string): Promise<readonly [string, Buffer]> => {
    try {
      return [path, await readFile(path)]
    } catch (error) {
      throw new DevloopError('devloopfile/file', `${path}, which ${app.name} mounts, cannot be read.`, {
        why: (error as Error).message,
        where: app.at,
        cause: error,
      })
    }
  }
  return new Map(await Promise.all([...new Set(paths)].map(read)))
}

export function renderVolumes(input: AppVolumesInput): AppVolumes {
  const { app, storage } = input
  const objects: AppVolumes['objects'][number][] = []
  const warnings: ErrorInfo[] = []
  const volumes: object[] = []
  const mounts: object[] = []
  const digest = createHmac('sha256', input.hashKey)
  let exclusive = false
  let brought = false
  for (const [index, volume] of (app.volumes ?? []).entries()) {
    const name = `volume-${index}`
    const { path } = volume
    const mount = { name, mountPath: path, ...(volume.readOnly ? { readOnly: true } : {}) }
    if (volume.kind === 'files') {
      const object = `${app.name}.devloop-files-${shortHash(path)}`
      const { data, binaryData } = contentOf(volume, input, digest)
      const items = volume.files.map(({ to, mode }, key) => ({ key: `f${key}`, path: to === '' ? 'file' : to, mode }))
      const secret = isSecret(volume)
      objects.push(
        secret
          ? { apiVersion: 'v1', kind: 'Secret', name: object, type: 'Opaque', data: { ...inBase64(data), ...binaryData } }
          : {
              apiVersion: 'v1',
              kind: 'ConfigMap',
              name: object,
              data,
              ...(Object.keys(binaryData).length > 0 ? { binaryData } : {}),
            },
      )
      volumes.push({ name, ...(secret ? { secret: { secretName: object, items } } : { configMap: { name: object, items } }) })
      mounts.push({ ...mount, readOnly: true, ...(volume.single ? { subPath: 'file' } : {}) })
      brought = true
    } else if (volume.kind === 'config') {
      const { config } = volume
      volumes.push({ name, ...(volume.secret ? { secret: { secretName: config } } : { configMap: { name: config } }) })
      mounts.push({ ...mount, readOnly: true })
    } else if (volume.kind === 'empty') {
      volumes.push({ name, emptyDir: emptyDir(volume) })
      mounts.push(mount)
    } else if (volume.storageClass === undefined && storage.hasDefaultClass === false) {
      warnings.push(notKept(app, volume))
      volumes.push({ name, emptyDir: {} })
      mounts.push(mount)
    } else {
      exclusive = true
      if (volume.owner) objects.push(claim(volume))
      volumes.push({ name, persistentVolumeClaim: { claimName: volume.name } })
      mounts.push(mount)
    }
  }
  return { volumes, mounts, objects, warnings, exclusive, contentHash: brought ? digest.digest('hex').slice(0, 16) : undefined }
}

type Files = Extract<VolumeSpec, { kind: 'files' }>

const isSecret = ({ secret, files }: Files): boolean =>
  secret === true || files.some(({ from }) => 'text' in from && isSecretText(from.text))

function contentOf(
  { path, files }: Files,
  { files: read, resolve }: AppVolumesInput,
  digest: Hmac,
): { readonly data: Record<string, string>; readonly binaryData: Record<string, string> } {
  const data: Record<string, string> = {}
  const binaryData: Record<string, string> = {}
  for (const [index, file] of files.entries()) {
    const { to, from, mode } = file
    const content = 'file' in from ? read.get(from.file) : Buffer.from(resolve(file))
    if (!content) throw new Error(`the content of ${to} for ${path} was not read`)
    digest.update(JSON.stringify([path, to, mode, content.length])).update(content)
    if (isUtf8(content)) data[`f${index}`] = content.toString('utf8')
    else binaryData[`f${index}`] = content.toString('base64')
  }
  return { data, binaryData }
}

const inBase64 = (data: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')]))

const emptyDir = ({ memory, size }: Extract<VolumeSpec, { kind: 'empty' }>): object => ({
  ...(memory ? { medium: 'Memory' } : {}),
  ...(size === undefined ? {} : { sizeLimit: size }),
})

const claim = ({ name, size, storageClass }: Extract<VolumeSpec, { kind: 'named' }>): AppVolumes['objects'][number] => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  name,
  spec: {
    accessModes: ['ReadWriteOnce'],
    resources: { requests: { storage: size } },
    ...(storageClass === undefined ? {} : { storageClassName: storageClass }),
  },
})

const notKept = (app: AppSpec, { name, path }: Extract<VolumeSpec, { kind: 'named' }>): ErrorInfo =>
  new DevloopError('app/volume', `The volume ${name} of ${app.name} is gone with each pod.`, {
    why: `The cluster has no default storage class, so that ${path} is an empty folder of the pod, which no other pod shares.`,
    where: app.at,
    help: 'Name a storage class of the cluster, or let an administrator make one the default.',
  }).info

const shortHash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 8)
