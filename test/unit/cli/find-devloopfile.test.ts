import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findDevloopfile } from '../../../src/cli/find-devloopfile.js'

let dir = ''
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'devloop-find-'))
  await mkdir(join(dir, 'a/b'), { recursive: true })
})
afterEach(() => rm(dir, { recursive: true }))

const code = (value: string): unknown => expect.objectContaining({ code: value })

describe('findDevloopfile', () => {
  it('takes the nearest in this folder or above', async () => {
    await writeFile(join(dir, 'Devloopfile.ts'), '')
    expect(findDevloopfile(undefined, join(dir, 'a/b'))).toBe(join(dir, 'Devloopfile.ts'))
    await writeFile(join(dir, 'a/Devloopfile.ts'), '')
    expect(findDevloopfile(undefined, join(dir, 'a/b'))).toBe(join(dir, 'a/Devloopfile.ts'))
  })
  it('takes the one that is named, relative to here', async () => {
    await writeFile(join(dir, 'a/Other.ts'), '')
    expect(findDevloopfile('../Other.ts', join(dir, 'a/b'))).toBe(join(dir, 'a/Other.ts'))
  })
  it('says where it looked', () => {
    expect(() => findDevloopfile('No.ts', dir)).toThrow(code('devloopfile/not-found'))
    expect(() => findDevloopfile(undefined, join(dir, 'a/b'))).toThrow(
      `there is no Devloopfile.ts in ${join(dir, 'a/b')} or above`,
    )
  })
})
