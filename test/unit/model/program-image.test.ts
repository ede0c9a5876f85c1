import { Readable } from 'node:stream'
import { extract } from 'tar-stream'
import { expect, test } from 'vitest'
import { digestOf, imageArchive, makeProgramImage, type ProgramImageInput } from '../../../src/model/program-image.js'

const input: ProgramImageInput = {
  name: 'devloop-agent',
  version: '0123456789abcdef',
  platform: 'linux/arm64',
  program: Buffer.from('not really a program'.repeat(100)),
  file: 'agent',
  user: 65532,
  labels: { whose: 'one' },
}

/** What another implementation reads out of a tar. */
async function entries(tar: Buffer): Promise<Record<string, { mode: number; uid: number; content: Buffer }>> {
  const found: Record<string, { mode: number; uid: number; content: Buffer }> = {}
  const reading = Readable.from([tar]).pipe(extract())
  for await (const entry of reading) {
    const chunks: Buffer[] = []
    for await (const chunk of entry) chunks.push(chunk as Buffer)
    found[entry.header.name] = { mode: entry.header.mode ?? 0, uid: entry.header.uid ?? -1, content: Buffer.concat(chunks) }
  }
  return found
}

test('the layer holds the program alone, executable, of root', async () => {
  expect(await entries(makeProgramImage(input).layer)).toEqual({ agent: { mode: 0o755, uid: 0, content: input.program } })
})

test('the configuration names platform, user, labels and layer; the tag ends in the id', () => {
  const { config, id, tag, layer } = makeProgramImage(input)
  expect(JSON.parse(config.toString('utf8'))).toMatchObject({
    os: 'linux',
    architecture: 'arm64',
    config: { User: '65532:65532', Entrypoint: ['/agent'], Labels: { whose: 'one' } },
    rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
  })
  expect(id).toBe(digestOf(config))
  expect(tag).toBe(`0123456789abcdef-linux-arm64-devloop-${id.slice(7, 23)}`)
})

test('the same input is the same image; another owner has another image with the same layer', () => {
  const [one, same, other] = [
    makeProgramImage(input),
    makeProgramImage(input),
    makeProgramImage({ ...input, labels: { whose: 'two' } }),
  ]
  expect(same).toEqual(one)
  expect(other.id).not.toBe(one.id)
  expect(other.tag).not.toBe(one.tag)
  expect(other.layer).toEqual(one.layer)
})

test('the archive is what docker load reads', async () => {
  const image = makeProgramImage(input)
  const found = await entries(imageArchive(image, 'localhost:5000/devloop-agent:x'))
  const [manifest] = JSON.parse(found['manifest.json']?.content.toString('utf8') ?? '') as [Record<string, string | string[]>]
  expect(manifest?.['RepoTags']).toEqual(['localhost:5000/devloop-agent:x'])
  expect(found[String(manifest?.['Config'])]?.content).toEqual(image.config)
  expect(found[String(manifest?.['Layers']?.[0])]?.content).toEqual(image.layer)
})
