// `devloop verify`: what containers hold against what was saved, path by path.
import { expect, test } from 'vitest'
import type { VerifyResult } from '../../src/protocol/messages.js'
import { loop } from '../support/loop.js'

test('verify tells what is in sync, and what somebody changed in the container', async () => {
  const one = await loop()
  const watching = await one.begin()
  const [pod] = await one.pods()
  if (!pod) throw new Error('no pod')
  const verified = async (): Promise<VerifyResult['targets'][number]> => {
    const { stdout } = await one.devloop('verify', '--json')
    const [target, ...others] = (JSON.parse(stdout) as VerifyResult).targets
    expect(others).toEqual([])
    return target as VerifyResult['targets'][number]
  }
  // what came with the image alone
  expect(await verified()).toEqual({
    resource: 'web',
    pod: pod.name,
    container: 'web',
    image: `${one.name}/web`,
    checked: 3,
    differences: [],
    differing: 0,
    unknown: 0,
    held: false,
  })

  await one.save('app/public/live.txt', 'second')
  await one.save('app/public/more.txt', 'more')
  await one.answers('second', '/live')
  await watching.ready()
  const fine = await one.devloop('verify', 'web')
  expect(fine).toMatchObject({ code: 0, stdout: `web: ${pod.name}/web: all 4 paths are in sync\n` })

  await one.exec(pod.name, [
    'sh',
    '-c',
    'printf changed > /app/public/live.txt; rm /app/src/word.txt; chmod 600 /app/public/more.txt; echo own > /app/public/own.txt',
  ])
  const off = await one.devloop('verify', 'web')
  expect(off.code).toBe(1)
  expect(off.stdout.replaceAll(/sha256 \w+/g, 'sha256 HASH').replaceAll(pod.name, 'POD')).toMatchInlineSnapshot(`
    "web: POD/web: 3 of 4 paths differ
      /app/public/live.txt: should be a file of 6 bytes, mode 644, sha256 HASH, is a file of 7 bytes, mode 644, sha256 HASH
      /app/public/more.txt: should be mode 644, is mode 600
      /app/src/word.txt: should be a file of 3 bytes, mode 644, sha256 HASH, is nothing
    "
  `)
  expect(await verified()).toMatchObject({ checked: 4, differing: 3 })
  // nothing was written
  expect((await one.exec(pod.name, ['cat', '/app/public/live.txt'])).stdout).toBe('changed')

  // an image that is to be built again says nothing of its container
  await one.save('app/Dockerfile', 'FROM nowhere.invalid/nothing\n')
  await watching.until('web', (view) => view.status === 'failed' || view.hold !== undefined)
  expect((await verified()).error).toMatchObject({ code: 'request/refused' })
  const unknown = await one.devloop('verify', 'wep')
  expect(unknown.code).toBe(1)
  expect(unknown.stderr).toContain("Did you mean 'web'?")
})
