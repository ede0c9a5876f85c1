import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { openShellSession, type ShellSessionOptions } from '../../../../../src/adapters/kube/sync/shell-session.js'
import { syncFailure } from '../../../../../src/adapters/kube/sync/sync-failure.js'
import type { SyncSession } from '../../../../../src/ports/sync-transport.js'
import { fileEntry, fileOp } from '../../../../contract/sync-samples.js'
import { localExec, localFixture, readTree } from './local-exec.js'

const never = new AbortController().signal
const cleanups: (() => void | Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

function folder(): string {
  const made = mkdtempSync(path.join(tmpdir(), 'devloop-session-'))
  cleanups.push(() => rmSync(made, { recursive: true, force: true }))
  return made
}

async function open(roots: readonly string[], changes: Partial<ShellSessionOptions> = {}): Promise<SyncSession> {
  const session = await openShellSession({ exec: localExec(), roots, name: 'a folder', ...changes }, never)
  cleanups.push(() => session.close())
  return session
}

describe('openShellSession', () => {
  it('says what it uses, and what it lacks', async () => {
    expect((await open(['/x'])).description).toMatch(/^shell loop \(tar, head, sha256sum, stat\)$/)
    const few = await open(['/x'], { without: ['tar', 'sha256sum'] })
    expect(few.description).toContain('no tar')
    expect(few.description).toContain('no sha256sum')
  })

  it('names the tool that it cannot do without', async () => {
    await expect(open(['/x'], { without: ['mv'] })).rejects.toMatchObject({
      code: 'sync/no-tool',
      message: expect.stringContaining('mv') as string,
    })
  })

  it('says what a shell said that ended at once', async () => {
    await expect(open(['/x'], { shell: ['sh', '-c', 'echo no way; exit 3', 'sh'] })).rejects.toMatchObject({
      code: 'sync/disconnected',
      message: expect.stringContaining('status 3') as string,
      info: { why: 'no way' },
    })
  })

  it('gives up on a shell that never answers, when it opens and later', async () => {
    await expect(open(['/x'], { shell: ['sh', '-c', 'exec cat >/dev/null', 'sh'], deadlineMs: 100 })).rejects.toMatchObject({
      code: 'sync/disconnected',
    })
    // answers once, then only takes
    const mute = ['sh', '-c', String.raw`printf '\036%s 0 mv head\n' "$4"; exec cat >/dev/null`, 'sh']
    const session = await open(['/x'], { shell: mute, deadlineMs: 100 })
    await expect(session.apply([fileOp('/x/y', 'z')], never)).rejects.toMatchObject({ code: 'sync/disconnected' })
    expect((await session.closed).reason).toBe('lost')
  })

  it('can be called off', async () => {
    const controller = new AbortController()
    const opening = openShellSession(
      { exec: localExec(), roots: ['/x'], name: 'x', shell: ['sh', '-c', 'exec cat >/dev/null', 'sh'] },
      controller.signal,
    )
    controller.abort()
    await expect(opening).rejects.toMatchObject({ name: 'AbortError' })
  })

  it('takes a single file as a root, but never a folder in its place', async () => {
    const base = folder()
    mkdirSync(path.join(base, 'is-folder'))
    writeFileSync(path.join(base, 'is-folder', 'precious'), 'x')
    writeFileSync(path.join(base, 'target'), 'old')
    symlinkSync('target', path.join(base, 'is-link'))
    const at = (name: string): string => path.join(base, name)
    const session = await open([at('new.json'), at('is-link'), at('is-folder')])
    await session.apply([fileOp(at('new.json'), '{}'), fileOp(at('is-link'), 'x'.repeat(20_000))], never)
    await expect(session.apply([fileOp(at('is-folder'), 'no')], never)).rejects.toMatchObject({
      code: 'sync/failed',
      message: expect.stringContaining('is a folder') as string,
    })
    await expect(session.apply([fileOp(at('other.json'), 'no')], never)).rejects.toMatchObject({ code: 'sync/failed' })
    expect(readTree(base)).toEqual(
      new Map<string, unknown>([
        ['new.json', fileEntry('{}')],
        ['is-link', fileEntry('x'.repeat(20_000))],
        ['target', fileEntry('old')],
        ['is-folder', { kind: 'folder' }],
        ['is-folder/precious', fileEntry('x')],
      ]),
    )
  })

  it('leaves out of an inspection what cannot be known without sha256sum', async () => {
    const fixture = await localFixture(['sh'], { without: ['sha256sum'] })
    cleanups.push(() => fixture.close())
    const { session, root } = fixture
    await session.apply([fileOp(`${root}/f`, 'x'), { op: 'link', path: `${root}/l`, target: 'f' }], never)
    expect(await session.inspect([`${root}/f`, `${root}/l`, `${root}/none`], never)).toEqual(
      new Map<string, unknown>([
        [`${root}/l`, { kind: 'link', target: 'f' }],
        [`${root}/none`, { kind: 'absent' }],
      ]),
    )
  })

  it('writes without head too: small, odd and large', async () => {
    const fixture = await localFixture(['sh'], { without: ['head', 'tar', 'stat', 'find'] })
    cleanups.push(() => fixture.close())
    const { session, root, readTree: tree } = fixture
    const odd = Buffer.from(Array.from({ length: 100_000 }, (_, number) => (number * 7) % 256))
    await session.apply(
      [fileOp(`${root}/a b`, 'small'), fileOp(`${root}/d/large`, odd, 0o755), fileOp(`${root}/d/empty`, '')],
      never,
    )
    await session.apply([fileOp(`${root}/alone`, odd)], never)
    expect(await tree()).toEqual(
      new Map<string, unknown>([
        ['a b', fileEntry('small')],
        ['d', { kind: 'folder' }],
        ['d/large', fileEntry(odd, 0o755)],
        ['d/empty', fileEntry('')],
        ['alone', fileEntry(odd)],
      ]),
    )
  })

  it('sends commands of any length', async () => {
    const fixture = await localFixture(['sh'])
    cleanups.push(() => fixture.close())
    const { session, root } = fixture
    const deep = Array.from({ length: 120 }, (_, number) => `${'folder-with-a-long-name-'.repeat(4)}${number}`)
    const ops = deep.map((name) => fileOp(`${root}/${name}/file`, name))
    await session.apply(ops, never)
    const found = await session.inspect(
      ops.map((op) => op.path),
      never,
    )
    expect(found).toEqual(new Map(deep.map((name) => [`${root}/${name}/file`, fileEntry(name)])))
    await session.apply(
      ops.map((op) => ({ op: 'delete' as const, path: op.path })),
      never,
    )
    expect([...readTree(root).values()].some((entry) => entry.kind === 'file')).toBe(false)
  })
})

describe('syncFailure', () => {
  const say = (output: string, paths = ['/app/src/a.js', '/app/src/lib/b.js'], user = '1000 (node)') =>
    syncFailure({ output, status: 1, paths, roots: ['/app', '/app/src'], user, name: 'container web of pod shop/web-1' })

  it.each([
    ['tar: app/src/lib/.devloop-1234abcd/b.js: Cannot write: No space left on device', 'sync/disk-full', '/app/src/lib/b.js'],
    ['sh: 12: cannot create /app/src/.devloop-1234abcd: Read-only file system', 'sync/read-only', '/app/src/'],
    ["mkdir: cannot create directory '/app/src/lib': Permission denied", 'sync/permission', '/app/src/lib'],
    ['cat: write error: Disk quota exceeded', 'sync/disk-full', '/app/src/a.js'],
    ["mv: can't rename '/app/src/.devloop-1234abcd': Operation not permitted", 'sync/permission', '/app/src/'],
    ['devloop: link out: /app/src/lib -> /etc', 'sync/failed', '/app/src/lib'],
    ['sh: mkdir: not found', 'sync/no-tool', '/app/src/a.js'],
    ['who knows', 'sync/failed', '/app/src/a.js'],
    ['', 'sync/failed', '/app/src/a.js'],
  ])('%s', (output, code, named) => {
    const error = say(output)
    expect(error.code).toBe(code)
    expect(error.message).toContain(named)
    expect(JSON.stringify(error.info)).not.toContain('.devloop-')
  })

  it.each([
    [
      "mkdir: cannot create directory '/app/src/lib': Permission denied",
      undefined,
      '`RUN chown -R 1000 /app/src` in the Dockerfile',
    ],
    [
      "mkdir: cannot create directory '/app/src/lib': Permission denied",
      '1000680000',
      '`RUN chgrp -R 0 /app/src && find /app/src',
    ],
    ["mkdir: cannot create directory '/app/src/lib': Permission denied", '0 (root)', 'Let user 0 (root) write to /app/src'],
    ['sh: 12: cannot create /app/src/.devloop-1234abcd: Read-only file system', undefined, 'mount a volume at /app/src'],
    ['sh: mkdir: not found', undefined, '`COPY --from=busybox:musl /bin/busybox /bin/mkdir` in the Dockerfile'],
  ])('%s, as %s: what to do', (output, user, help) => {
    expect(say(output, undefined, user).info.help).toContain(help)
  })
})
