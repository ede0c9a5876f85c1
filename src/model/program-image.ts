// An image that holds one static program and nothing else, made without an engine. Pure: the same input is always the same image.
import { createHash } from 'node:crypto'

/** What the image is made of. */
export interface ProgramImageInput {
  /** Name without registry and tag, such as `devloop-agent`. */
  readonly name: string
  /** Of the program; becomes the beginning of the tag. */
  readonly version: string
  /** `os/arch`, as Go and the OCI spell them. */
  readonly platform: string
  /** The program's content: one that needs nothing else to run. */
  readonly program: Buffer
  /** Its name in the image's root folder. */
  readonly file: string
  /** Numeric user that it runs as, unless a pod says otherwise. */
  readonly user: number
  readonly labels: Readonly<Record<string, string>>
}

/** The parts of an image, by the OCI's image specification. */
export interface ProgramImage {
  readonly name: string
  readonly tag: string
  /** Digest of the configuration, `sha256:...`: what engines call the image's id. */
  readonly id: string
  readonly config: Buffer
  /** The one layer, a tar that is not compressed. */
  readonly layer: Buffer
}

/**
 * Two working copies have different labels and thereby different images, so that neither deletes the other's; their layer is the same.
 * The tag ends like those of built images, in the beginning of the image's own id.
 */
export function makeProgramImage(input: ProgramImageInput): ProgramImage {
  const { name, version, platform, program, file, user, labels } = input
  const [os = '', architecture = ''] = platform.split('/')
  const layer = tarOf(file, program)
  const config = Buffer.from(
    JSON.stringify({
      created: '1970-01-01T00:00:00Z',
      architecture,
      os,
      config: { User: `${user}:${user}`, Entrypoint: [`/${file}`], WorkingDir: '/', Labels: labels },
      rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
      history: [{ created: '1970-01-01T00:00:00Z', created_by: `devloop: ${file} ${version}` }],
    }),
  )
  const id = digestOf(config)
  return { name, tag: `${version}-${os}-${architecture}-devloop-${id.slice('sha256:'.length).slice(0, 16)}`, id, config, layer }
}

/** `sha256:...` */
export const digestOf = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

/** The image in the form of `docker save`, which engines and the nodes' runtimes load. */
export function imageArchive({ config, layer, id }: ProgramImage, reference: string): Buffer {
  const hex = id.slice('sha256:'.length)
  const manifest = [{ Config: `${hex}.json`, RepoTags: [reference], Layers: [`${hex}/layer.tar`] }]
  return Buffer.concat([
    tarEntry(`${hex}/layer.tar`, 0o644, layer),
    tarEntry(`${hex}.json`, 0o644, config),
    tarEntry('manifest.json', 0o644, Buffer.from(JSON.stringify(manifest))),
    tarEnd,
  ])
}

const block = 512
const tarEnd = Buffer.alloc(2 * block)

const tarOf = (name: string, content: Buffer): Buffer => Buffer.concat([tarEntry(name, 0o755, content), tarEnd])

/** A file of root's in a tar (POSIX ustar): header, content, padding. The name has at most 100 bytes. */
function tarEntry(name: string, mode: number, content: Buffer): Buffer {
  const header = Buffer.alloc(block)
  const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, '0')
  header.write(name, 0, 'utf8')
  header.write(
    `${octal(mode, 7)}\0${octal(0, 7)}\0${octal(0, 7)}\0${octal(content.length, 11)}\0${octal(0, 11)}\0`,
    100,
    'latin1',
  )
  header.write('        0', 148, 'latin1')
  header.write('ustar\x0000', 257, 'latin1')
  header.write(
    `${octal(
      header.reduce((sum, byte) => sum + byte, 0),
      6,
    )}\0 `,
    148,
    'latin1',
  )
  return Buffer.concat([header, content, Buffer.alloc((block - (content.length % block)) % block)])
}
