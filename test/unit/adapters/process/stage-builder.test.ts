import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { waitFor } from '../../../support/wait-for.js'
import { at, createHarness, never, sync, type Harness } from './harness.js'

let one: Harness
beforeEach(async () => {
  one = await createHarness()
})
afterEach(() => one.close())

describe('the builder of the process runtime', () => {
  it('puts synced files where the rules say and all others into the working folder', async () => {
    one.write('src/a.js', 'a')
    one.write('src/deep/b.js', 'b')
    one.write('package.json', '{}')
    one.write('run.sh', '#!/bin/sh', 0o755)
    const record = await one.build(
      one.image({
        live: [sync('src', '/srv/code'), sync('src/deep', '/copy'), { kind: 'rebuildOn', patterns: ['src/a.js'], at }],
      }),
    )
    const read = (path: string): string => readFileSync(join(record.ref, path), 'utf8')
    expect(read('srv/code/a.js')).toBe('a')
    expect(read('srv/code/deep/b.js')).toBe('b')
    expect(read('copy/b.js')).toBe('b')
    expect(read('app/package.json')).toBe('{}')
    expect(lstatSync(join(record.ref, 'app/run.sh')).mode & 0o777).toBe(0o755)
    expect(existsSync(join(record.ref, 'app/src'))).toBe(false)
    expect(record.config).toMatchObject({ workingDir: '/app', shell: true })
  })

  it('lays the file of the last rule over others, and over those that no rule covers', async () => {
    for (const path of ['common/a', 'common/b', 'mine/a', 'b']) one.write(path, `${path}\n`)
    const record = await one.build(one.image({ live: [sync('common', '/app'), sync('mine', '/app')] }))
    const read = (path: string): string => readFileSync(join(record.ref, path), 'utf8')
    expect([read('app/a'), read('app/b')]).toEqual(['mine/a\n', 'common/b\n'])
    const other = await one.build(one.image({ live: [sync('mine', '/app'), sync('common', '/app')] }))
    expect(readFileSync(join(other.ref, 'app/a'), 'utf8')).toBe('common/a\n')
  })

  it('keeps symbolic links as they are', async () => {
    one.write('src/a.js', 'a')
    one.link('src/near', 'a.js')
    one.link('src/far', '/etc')
    const record = await one.build()
    expect(readlinkSync(join(record.ref, 'app/src/near'))).toBe('a.js')
    expect(readlinkSync(join(record.ref, 'app/src/far'))).toBe('/etc')
  })

  it('needs no Dockerfile, and takes the stage and arguments of one', async () => {
    const workingDir = async (dockerfile: { path: string } | { inline: string }, more = {}): Promise<string> =>
      (await one.build(one.image({ dockerfile, ...more }))).config.workingDir
    expect(await workingDir({ path: join(one.dir, 'none') })).toBe('/app')
    expect(await workingDir({ inline: 'FROM a' })).toBe('/')
    const inline = 'FROM a AS dev\nARG DIR\nWORKDIR /$DIR\nFROM a\nWORKDIR /prod'
    expect(await workingDir({ inline }, { target: 'dev', args: { DIR: 'here' } })).toBe('/here')
    await expect(workingDir({ inline }, { target: 'test' })).rejects.toMatchObject({ code: 'build/dockerfile' })
  })

  it('leaves out a file that is gone meanwhile', async () => {
    one.write('src/a.js', 'a')
    const image = one.image()
    const tree = new Map([
      ['src/a.js', { kind: 'file', hash: 'x', mode: 0o644, size: 1 }],
      ['src/gone.js', { kind: 'file', hash: 'x', mode: 0o644, size: 1 }],
    ] as const)
    const progress = { step: () => {}, log: () => {}, stage: () => {}, sent: () => {} }
    const built = await one.runtime.builder.build(
      { image, tree, inputs: '', registry: undefined, platform: undefined },
      progress,
      never,
    )
    expect(readdirSync(join(built.ref, 'app/src'))).toEqual(['a.js'])
  })

  it('knows a stage again after a restart, unless it is incomplete or gone', async () => {
    one.write('src/a.js', 'a')
    const record = await one.build()
    const exists = (): Promise<boolean> => one.runtime.builder.exists(record, undefined, never)
    expect(await exists()).toBe(true)
    await one.reopen()
    expect(await exists()).toBe(true)
    rmSync(record.ref, { recursive: true })
    expect(await exists()).toBe(false)
  })

  it('leaves nothing behind when it is aborted', async () => {
    for (let count = 0; count < 200; count++) one.write(`src/${count}.js`, 'a')
    const controller = new AbortController()
    const image = one.image()
    const built = one.runtime.builder.build(
      {
        image,
        tree: new Map(
          [...Array(200).keys()].map((count) => [`src/${count}.js`, { kind: 'file', hash: '', mode: 0o644, size: 1 }]),
        ),
        inputs: '',
        registry: undefined,
        platform: undefined,
      },
      { step: () => controller.abort(), log: () => {}, stage: () => {}, sent: () => {} },
      controller.signal,
    )
    await expect(built).rejects.toMatchObject({ name: 'AbortError' })
    expect(readdirSync(join(one.stateDir, 'stage', 'shop+api'))).toEqual([])
  })

  it('deletes at the start what a killed daemon was writing', async () => {
    one.write('src/a.js', 'a')
    const record = await one.build()
    await one.runtime.close()
    mkdirSync(`${record.ref}.writing.12345678`)
    await one.reopen()
    expect(readdirSync(dirname(record.ref)).toSorted()).toEqual([record.digest, `${record.digest}.complete`])
  })

  it('deletes what an interrupted build left, and older stages that nothing runs', async () => {
    one.write('src/server.js', 'setInterval(() => {}, 1000)')
    const app = one.app({ ports: {} })
    const first = await one.build()
    rmSync(`${first.ref}.complete`)
    const second = await one.build()
    expect(existsSync(first.ref)).toBe(false)
    await one.deploy(app, second)
    const third = await one.build()
    expect([second, third].map((record) => existsSync(record.ref))).toEqual([true, true])
    await one.deploy(app, third)
    await waitFor(() => !existsSync(second.ref), { what: 'the older stage to be deleted', everyMs: 5 })
    await one.runtime.close()
    expect(existsSync(third.ref)).toBe(true)
    expect(readdirSync(dirname(third.ref)).filter((name) => !name.startsWith(third.digest))).toEqual([])
  })
})
