// What every sync transport must do, whatever it is made of. Applied to each by a test file beside this one.
import { randomBytes, randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { afterEach, describe, expect, it } from 'vitest'
import { isDevloopError } from '../../src/errors/devloop-error.js'
import type { Entry } from '../../src/model/tree.js'
import type { SyncOp, SyncSession } from '../../src/ports/sync-transport.js'
import { chunked, contents, fileEntry, fileOp, index, oddNames } from './sync-samples.js'
import { waitFor } from '../support/wait-for.js'

/** A container (or what takes its place) with an empty folder to sync into. */
export interface SyncFixture {
  /** An open session whose one root is `root`. */
  readonly session: SyncSession
  /** The synced folder as the session names it; it exists and is empty. Nothing else is in its parent folder. */
  readonly root: string
  /** Everything below the root by its path relative to it, folders included, read by other means than the session's. */
  readTree(): Promise<Map<string, Entry | { readonly kind: 'folder' }>>
  /** Run a shell script where the container's files are, other than by the session; `$ROOT` is the root. Resolves with its output. */
  shell(script: string): Promise<string>
  /** Another session on the same root, after this one has ended. */
  reopen(): Promise<SyncSession>
  /** End the session's stream hard, as a lost connection does. Undefined = there is no stream that could be lost. */
  readonly cut?: () => void
  /** Bytes that have been sent on all streams so far. Undefined = not known. */
  readonly sent?: () => number
  /** Clean up, the sessions included. */
  close(): Promise<void>
}

export interface SyncTransportSuite {
  readonly name: string
  /** What is not there that it needs; then nothing is tested, and the report says why. */
  readonly missing?: string | undefined
  open(): Promise<SyncFixture>
}

const never = new AbortController().signal

/** Declares the suite. */
export function syncTransportSuite({ name, missing, open }: SyncTransportSuite): void {
  describe.skipIf(missing !== undefined)(`sync transport: ${missing === undefined ? name : `${name} (${missing})`}`, () => {
    let fixture: SyncFixture | undefined
    const start = async (): Promise<SyncFixture> => (fixture = await open())
    afterEach(async () => {
      await fixture?.close()
      fixture = undefined
    })

    it('says what it uses', async () => {
      const { session } = await start()
      expect(session.description.length).toBeGreaterThan(3)
    })

    it('writes every kind of content, alone', async () => {
      const { session, root, readTree } = await start()
      for (const [what, content] of contents) await session.apply([fileOp(`${root}/${what}`, content)], never)
      expect(await readTree()).toEqual(new Map(contents.map(([what, content]) => [what, fileEntry(content)])))
    })

    it('writes every kind of content, together', async () => {
      const { session, root, readTree } = await start()
      await session.apply(
        contents.map(([what, content]) => fileOp(`${root}/${what}`, content)),
        never,
      )
      expect(await readTree()).toEqual(new Map(contents.map(([what, content]) => [what, fileEntry(content)])))
    })

    it('keeps modes, of new files and of changed ones', async () => {
      const { session, root, readTree } = await start()
      const modes = [0o644, 0o600, 0o755, 0o700, 0o640, 0o444, 0o664, 0o666]
      const all = (content: string, of: readonly number[]): SyncOp[] =>
        of.map((mode, index) => fileOp(`${root}/f${index}`, content, mode))
      for (const op of all('alone', modes)) await session.apply([op], never)
      expect(await readTree()).toEqual(new Map(modes.map((mode, index) => [`f${index}`, fileEntry('alone', mode)])))
      const turned = modes.toReversed()
      await session.apply([...all('together', turned), fileOp(`${root}/large`, 'x'.repeat(20_000), 0o750)], never)
      expect(await readTree()).toEqual(
        new Map([
          ...turned.map((mode, index) => [`f${index}`, fileEntry('together', mode)] as const),
          ['large', fileEntry('x'.repeat(20_000), 0o750)] as const,
        ]),
      )
    })

    it('carries odd names: files, links, deletes, folders', async () => {
      const { session, root, readTree } = await start()
      const target = 'nowhere\n $x'
      for (const odd of oddNames) await session.apply([fileOp(`${root}/one/${odd}`, `one ${odd}`)], never)
      await session.apply(
        oddNames.flatMap((odd): SyncOp[] => [
          fileOp(`${root}/many/${odd}`, `many ${odd}`.repeat(200)),
          fileOp(`${root}/folders/${odd}/in it`, odd),
          { op: 'link', path: `${root}/links/${odd}`, target },
        ]),
        never,
      )
      const expected = new Map<string, Entry | { kind: 'folder' }>(
        ['one', 'many', 'folders', 'links'].map((folder) => [folder, { kind: 'folder' }]),
      )
      for (const odd of oddNames) {
        expected.set(`one/${odd}`, fileEntry(`one ${odd}`))
        expected.set(`many/${odd}`, fileEntry(`many ${odd}`.repeat(200)))
        expected.set(`folders/${odd}`, { kind: 'folder' })
        expected.set(`folders/${odd}/in it`, fileEntry(odd))
        expected.set(`links/${odd}`, { kind: 'link', target })
      }
      expect(await readTree()).toEqual(expected)

      const files = [...expected].filter(([, entry]) => entry.kind !== 'folder')
      const found = await session.inspect(
        files.map(([path]) => `${root}/${path}`),
        never,
      )
      for (const [path, entry] of files) expect([path, found.get(`${root}/${path}`)]).toEqual([path, entry])

      await session.apply(
        [
          ...files.map(([path]): SyncOp => ({ op: 'delete', path: `${root}/${path}` })),
          ...[...expected]
            .filter(([, entry]) => entry.kind === 'folder')
            .map(([path]): SyncOp => ({ op: 'rmdir', path: `${root}/${path}` })),
        ],
        never,
      )
      expect(await readTree()).toEqual(new Map())
    })

    it('writes 20 MB of binary, as a buffer and as a stream', async () => {
      const { session, root, readTree } = await start()
      const content = randomBytes(20 * 1024 * 1024)
      await session.apply([fileOp(`${root}/bin/buffer`, content, 0o755)], never)
      const streamed = {
        ...fileOp(`${root}/bin/stream`, content),
        content: () => Promise.resolve(Readable.from(chunked(content, 77_777))),
      } as SyncOp
      await session.apply([streamed, fileOp(`${root}/small`, 'after it')], never)
      expect(await readTree()).toEqual(
        new Map<string, unknown>([
          ['bin', { kind: 'folder' }],
          ['bin/buffer', fileEntry(content, 0o755)],
          ['bin/stream', fileEntry(content)],
          ['small', fileEntry('after it')],
        ]),
      )
    }, 60_000)

    it('writes thousands of files, deep and wide', async () => {
      const { session, root, readTree } = await start()
      const names = Array.from({ length: 2500 }, (_, index) => `d${index % 40}/e${index % 7}/file-${index}.js`)
      await session.apply(
        names.map((path) => fileOp(`${root}/${path}`, `// ${path}\n`.repeat(index(path) % 50))),
        never,
      )
      const tree = await readTree()
      for (const path of names) expect([path, tree.get(path)]).toEqual([path, fileEntry(`// ${path}\n`.repeat(index(path) % 50))])
      expect([...tree.values()].filter((entry) => entry.kind === 'file')).toHaveLength(names.length)
    }, 60_000)

    it('replaces what is in the way: folders, links to folders and to files, files where folders must be', async () => {
      const { session, root, readTree, shell } = await start()
      await shell(`cd "$ROOT" && mkdir -p folder/deep linked real && echo x > folder/deep/f && echo y > linked/kept && echo z > other
        ln -s linked tolinked && ln -s other tofile && ln -s gone dangling && echo f > file && ln -s gone2 danglingfolder && ln -s linked linkwins`)
      const big = 'big '.repeat(5000)
      await session.apply(
        [
          fileOp(`${root}/folder`, big),
          fileOp(`${root}/tolinked`, 'small'),
          fileOp(`${root}/tofile`, 'not through the link'),
          fileOp(`${root}/dangling`, big),
          fileOp(`${root}/file/now/a/folder`, 'inside'),
          fileOp(`${root}/danglingfolder/f`, 'inside'),
          { op: 'link', path: `${root}/linkwins`, target: 'real' },
          { op: 'link', path: `${root}/other`, target: 'linked' },
          { op: 'link', path: `${root}/real`, target: 'tofile' },
        ],
        never,
      )
      expect(await readTree()).toEqual(
        new Map<string, unknown>([
          ['folder', fileEntry(big)],
          ['linked', { kind: 'folder' }],
          ['linked/kept', fileEntry('y\n')],
          ['tolinked', fileEntry('small')],
          ['tofile', fileEntry('not through the link')],
          ['dangling', fileEntry(big)],
          ['file', { kind: 'folder' }],
          ['file/now', { kind: 'folder' }],
          ['file/now/a', { kind: 'folder' }],
          ['file/now/a/folder', fileEntry('inside')],
          ['danglingfolder', { kind: 'folder' }],
          ['danglingfolder/f', fileEntry('inside')],
          ['linkwins', { kind: 'link', target: 'real' }],
          ['other', { kind: 'link', target: 'linked' }],
          ['real', { kind: 'link', target: 'tofile' }],
        ]),
      )
    })

    it('does the same one by one, and when there are many at once', async () => {
      const { session, root, readTree, shell } = await start()
      await shell(
        `cd "$ROOT" && mkdir -p a/sub b && ln -s b l && mkdir -p many/0 many/1/x && ln -s ../b many/2 && ln -s nowhere many/3 && mkdir many/.4`,
      )
      await session.apply([fileOp(`${root}/a/sub`, 'now a file')], never)
      await session.apply([fileOp(`${root}/l`, 'now a file')], never)
      await session.apply([{ op: 'link', path: `${root}/b`, target: 'a' }], never)
      const many = Array.from({ length: 40 }, (_, number) => (number === 4 ? '.4' : `${number}`))
      await session.apply(
        many.map((number) => fileOp(`${root}/many/${number}`, `file ${number} `.repeat(100))),
        never,
      )
      expect(await readTree()).toEqual(
        new Map<string, unknown>([
          ['a', { kind: 'folder' }],
          ['a/sub', fileEntry('now a file')],
          ['l', fileEntry('now a file')],
          ['b', { kind: 'link', target: 'a' }],
          ['many', { kind: 'folder' }],
          ...many.map((number) => [`many/${number}`, fileEntry(`file ${number} `.repeat(100))] as const),
        ]),
      )
    })

    it('deletes files and links, leaves folders alone, and removes empty folders only', async () => {
      const { session, root, readTree, shell } = await start()
      await shell(`cd "$ROOT" && mkdir -p keep/deep empty/inner && echo 1 > keep/f && echo 2 > keep/deep/g && ln -s keep link`)
      await session.apply(
        [
          { op: 'delete', path: `${root}/keep/f` },
          { op: 'delete', path: `${root}/link` },
          { op: 'delete', path: `${root}/keep/deep` },
          { op: 'delete', path: `${root}/not/there` },
          { op: 'rmdir', path: `${root}/empty` },
          { op: 'rmdir', path: `${root}/empty/inner` },
          { op: 'rmdir', path: `${root}/keep` },
          { op: 'rmdir', path: `${root}/nor this` },
        ],
        never,
      )
      expect(await readTree()).toEqual(
        new Map<string, unknown>([
          ['keep', { kind: 'folder' }],
          ['keep/deep', { kind: 'folder' }],
          ['keep/deep/g', fileEntry('2\n')],
        ]),
      )
    })

    it('deletes before it writes', async () => {
      const { session, root, readTree, shell } = await start()
      await shell('cd "$ROOT" && mkdir lib && echo 1 > lib/a && ln -s lib turned && echo f > f')
      await session.apply(
        [
          { op: 'link', path: `${root}/lib`, target: 'elsewhere' },
          fileOp(`${root}/turned/into/folder`, 'x'),
          fileOp(`${root}/f/g`, 'y'),
          { op: 'rmdir', path: `${root}/lib` },
          { op: 'delete', path: `${root}/lib/a` },
          { op: 'delete', path: `${root}/turned` },
          { op: 'delete', path: `${root}/f` },
        ],
        never,
      )
      expect(await readTree()).toEqual(
        new Map<string, unknown>([
          ['lib', { kind: 'link', target: 'elsewhere' }],
          ['turned', { kind: 'folder' }],
          ['turned/into', { kind: 'folder' }],
          ['turned/into/folder', fileEntry('x')],
          ['f', { kind: 'folder' }],
          ['f/g', fileEntry('y')],
        ]),
      )
    })

    it('never writes or deletes through a link that leads out of the root', async () => {
      const { session, root, readTree, shell } = await start()
      await shell(
        `cd "$ROOT" && mkdir -p ../outside in && echo precious > ../outside/f && ln -s ../outside out && ln -s in inner && echo i > in/f`,
      )
      for (const content of ['small', 'large '.repeat(10_000)]) {
        const failure = await session
          .apply([fileOp(`${root}/out/f`, content), fileOp(`${root}/fine`, 'x')], never)
          .catch((thrown: unknown) => thrown)
        expect(isDevloopError(failure) && failure.code).toBe('sync/failed')
      }
      const many = Array.from({ length: 30 }, (_, number) => fileOp(`${root}/out/g${number}`, 'x'.repeat(1000)))
      await expect(session.apply(many, never)).rejects.toMatchObject({ code: 'sync/failed' })
      // what stands below a link is not there: the link itself is the entry
      await session.apply(
        [
          { op: 'delete', path: `${root}/out/f` },
          { op: 'delete', path: `${root}/in/f` },
          { op: 'rmdir', path: `${root}/out/sub` },
        ],
        never,
      )
      expect(await session.inspect([`${root}/out/f`, `${root}/out`], never)).toEqual(
        new Map<string, unknown>([
          [`${root}/out/f`, { kind: 'absent' }],
          [`${root}/out`, { kind: 'link', target: '../outside' }],
        ]),
      )
      expect(await shell('ls -A "$ROOT/../outside"; cat "$ROOT/../outside/f"')).toBe('f\nprecious\n')
      expect((await readTree()).has('in/f')).toBe(false)
    })

    it('refuses paths that are not below a root', async () => {
      const { session, root, shell } = await start()
      for (const path of [
        '/etc/passwd',
        `${root}/../evil`,
        `${root}x/evil`,
        'relative',
        `${root}//double`,
        `${root}/a/./b`,
        `${root}/slash/`,
      ])
        await expect(session.apply([fileOp(path, 'x')], never)).rejects.toMatchObject({ code: 'sync/failed' })
      expect(await shell('ls -A "$ROOT" "$ROOT/.."')).not.toContain('evil')
    })

    it('inspects: content, modes, links, what is absent, folders, missing parents', async () => {
      const { session, root, shell } = await start()
      await shell(`cd "$ROOT" && mkdir -p d && printf 'hello' > d/f && chmod 755 d/f && : > empty && chmod 600 empty && ln -s d/f l && ln -s "a
b" two && mkfifo fifo`)
      const paths = ['d/f', 'empty', 'l', 'two', 'd', 'fifo', 'missing', 'missing/deep/er', 'd/f/below a file']
      const found = await session.inspect(
        paths.map((path) => `${root}/${path}`),
        never,
      )
      expect(Object.fromEntries(found)).toEqual({
        [`${root}/d/f`]: fileEntry('hello', 0o755),
        [`${root}/empty`]: fileEntry('', 0o600),
        [`${root}/l`]: { kind: 'link', target: 'd/f' },
        [`${root}/two`]: { kind: 'link', target: 'a\nb' },
        [`${root}/d`]: { kind: 'absent' },
        [`${root}/fifo`]: { kind: 'absent' },
        [`${root}/missing`]: { kind: 'absent' },
        [`${root}/missing/deep/er`]: { kind: 'absent' },
        [`${root}/d/f/below a file`]: { kind: 'absent' },
      })
      expect(await session.inspect([], never)).toEqual(new Map())
    })

    it('inspects thousands of paths', async () => {
      const { session, root } = await start()
      const names = Array.from({ length: 3000 }, (_, number) => `${root}/dir${number % 30}/some file ${number}`)
      await session.apply(
        names.filter((_, number) => number % 2 === 0).map((path) => fileOp(path, path)),
        never,
      )
      const found = await session.inspect(names, never)
      expect(found.size).toBe(names.length)
      names.forEach((path, number) => expect(found.get(path)).toEqual(number % 2 === 0 ? fileEntry(path) : { kind: 'absent' }))
    }, 60_000)

    it('carries out concurrent calls one after the other', async () => {
      const { session, root, readTree } = await start()
      const content = (number: number): string => `version ${number}`.repeat(number * 100)
      const calls = Array.from({ length: 20 }, (_, number) => ({
        applied: session.apply([fileOp(`${root}/same`, content(number))], never),
        found: session.inspect([`${root}/same`], never),
      }))
      await Promise.all(calls.map(({ applied }) => applied))
      const found = await Promise.all(calls.map((call) => call.found))
      expect(found.map((one) => one.get(`${root}/same`))).toEqual(found.map((_, number) => fileEntry(content(number))))
      expect(await readTree()).toEqual(new Map([['same', fileEntry('version 19'.repeat(1900))]]))
    })

    it('stays usable after an operation that failed', async () => {
      const { session, root, readTree } = await start()
      const broken = fileOp(`${root}/gone`, 'x')
      const lies = { ...fileOp(`${root}/lies`, 'promised'), content: () => Promise.resolve(Buffer.from('delivers')) } as SyncOp
      const breaks = {
        ...fileOp(`${root}/breaks`, randomBytes(3_000_000)),
        content: () =>
          Promise.resolve(
            Readable.from(
              (async function* () {
                yield randomBytes(2_000_000)
                throw await Promise.resolve(new Error('the disk is gone'))
              })(),
            ),
          ),
      } as SyncOp
      const short = {
        ...fileOp(`${root}/short`, randomBytes(3_000_000)),
        content: () => Promise.resolve(Readable.from(chunked(randomBytes(2_000_000), 65_536))),
      } as SyncOp
      for (const op of [lies, breaks, short])
        await expect(session.apply([op], never)).rejects.toMatchObject({ code: 'sync/source' })
      // the reason reaches whoever asked, as it is or as the why of an error about the source
      await expect(
        session.apply([{ ...broken, content: () => Promise.reject(new Error('unreadable')) } as SyncOp], never),
      ).rejects.toSatisfy((thrown: Error & { info?: { why?: string } }) =>
        `${thrown.message} ${thrown.info?.why}`.includes('unreadable'),
      )
      await session.apply([fileOp(`${root}/fine`, 'works')], never)
      expect(await readTree()).toEqual(new Map([['fine', fileEntry('works')]]))
    })

    it('an abort rejects at once, and the next call works', async () => {
      const { session, root, readTree } = await start()
      const aborted = AbortSignal.abort()
      await expect(session.apply([fileOp(`${root}/a`, 'x')], aborted)).rejects.toMatchObject({ name: 'AbortError' })
      await expect(session.inspect([`${root}/a`], aborted)).rejects.toMatchObject({ name: 'AbortError' })

      const controller = new AbortController()
      let release: () => void = () => {}
      const gate = new Promise<void>((resolve) => (release = resolve))
      const content = randomBytes(12 * 1024 * 1024)
      const large = { ...fileOp(`${root}/large`, content) } as Extract<SyncOp, { op: 'file' }>
      const slow = {
        ...large,
        content: () =>
          Promise.resolve(
            Readable.from(
              (async function* () {
                yield content.subarray(0, 6 * 1024 * 1024)
                controller.abort()
                await gate
                yield content.subarray(6 * 1024 * 1024)
              })(),
            ),
          ),
      }
      await expect(session.apply([slow], controller.signal)).rejects.toMatchObject({ name: 'AbortError' })
      release()
      await session.apply([fileOp(`${root}/next`, 'works')], never)
      expect(await readTree()).toEqual(new Map([['next', fileEntry('works')]]))
    })

    it('a cut in the middle leaves nothing half written; a new session converges', async () => {
      const { session, root, readTree, reopen, cut } = await start()
      if (!cut) return
      const old = randomBytes(50_000)
      const content = randomBytes(10 * 1024 * 1024)
      await session.apply([fileOp(`${root}/file`, old)], never)
      const slow = {
        ...fileOp(`${root}/file`, content),
        content: () =>
          Promise.resolve(
            Readable.from(
              (async function* () {
                yield content.subarray(0, 5 * 1024 * 1024)
                cut()
                yield await session.closed.then(() => content.subarray(5 * 1024 * 1024))
              })(),
            ),
          ),
      } as SyncOp
      await expect(session.apply([slow], never)).rejects.toMatchObject({ code: 'sync/disconnected' })
      expect((await session.closed).reason).toBe('lost')
      await expect(session.apply([fileOp(`${root}/more`, 'x')], never)).rejects.toMatchObject({ code: 'sync/disconnected' })

      const again = await reopen()
      expect(await again.inspect([`${root}/file`], never)).toEqual(new Map([[`${root}/file`, fileEntry(old)]]))
      await again.apply([fileOp(`${root}/file`, content)], never)
      expect((await readTree()).get('file')).toEqual(fileEntry(content))
      // what the cut left behind goes
      await waitFor(async () => (await readTree()).size === 1, { what: 'the temporary files to be swept' })
    }, 60_000)

    it('sweeps what an earlier session left behind, and nothing else', async () => {
      const { session, readTree, shell, reopen } = await start()
      await session.close()
      await shell(
        'cd "$ROOT" && mkdir -p a/.devloop-0badcafe && echo x > a/.devloop-0badcafe/f && echo y > .devloop-12345678 && echo z > .devlooprc',
      )
      await reopen()
      await waitFor(async () => ![...(await readTree()).keys()].some((path) => path.includes('.devloop-')), { what: 'the sweep' })
      expect(await readTree()).toEqual(
        new Map<string, unknown>([
          ['a', { kind: 'folder' }],
          ['.devlooprc', fileEntry('z\n')],
        ]),
      )
    })

    it('runs commands: lines of output, exit codes, strings and arrays', async () => {
      const { session } = await start()
      const output: string[] = []
      const run = (command: string | readonly string[]): Promise<{ exitCode: number }> =>
        session.run(command, (line) => output.push(line), never)
      expect(await run(`echo "one two"; printf 'no line end'; exit 3`)).toEqual({ exitCode: 3 })
      expect(output.splice(0)).toEqual(['one two', 'no line end'])
      expect(await run(['echo', '$HOME', "it's  so"])).toEqual({ exitCode: 0 })
      expect(output.splice(0)).toEqual([`$HOME it's  so`])
      expect(await run('echo to stderr >&2')).toEqual({ exitCode: 0 })
      expect(output.splice(0)).toEqual(['to stderr'])
      expect(await run('i=0; while [ $i -lt 2000 ]; do echo "line $i"; i=$((i+1)); done')).toEqual({ exitCode: 0 })
      expect(output).toEqual(Array.from({ length: 2000 }, (_, number) => `line ${number}`))
      expect((await run(['/no/such/program'])).exitCode).toBe(127)
    })

    it('an abort ends the command and what it started', async () => {
      const { session, shell } = await start()
      const controller = new AbortController()
      // processes of other tests are not looked at
      const mark = randomUUID()
      // deaf to the first, polite request
      const running = session.run(
        `trap '' TERM; (while :; do sleep 1; done) & echo started; while :; do sleep 1; echo alive ${mark} > /dev/null; done`,
        () => controller.abort(),
        controller.signal,
      )
      await expect(running).rejects.toMatchObject({ name: 'AbortError' })
      const alive = await shell(
        `for f in /proc/[0-9]*/cmdline; do tr '\\0' ' ' < "$f" 2>/dev/null; echo; done | grep -c "echo aliv[e] ${mark}" || :`,
      )
      expect(alive.trim()).toBe('0')
    })

    it('close settles closed, and later calls reject', async () => {
      const { session, root } = await start()
      await session.close()
      expect((await session.closed).reason).toBe('asked')
      await expect(session.apply([fileOp(`${root}/x`, 'x')], never)).rejects.toMatchObject({ code: 'sync/disconnected' })
      await expect(session.inspect([`${root}/x`], never)).rejects.toMatchObject({ code: 'sync/disconnected' })
      await session.close()
    })
  })
}
