// Whatever is sent to the agent or comes from it: frames keep what they hold, nothing breaks either end, and the tree is the one that the shell
// loop would have made.
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  createFrameReader,
  frameBytes,
  kinds,
  longField,
  maxFrame,
  numberField,
  protocol,
  readFields,
  sizedFields,
  type AgentFrame,
} from '../../src/adapters/kube/sync/agent/frames.js'
import { openAgentSession } from '../../src/adapters/kube/sync/agent/agent-session.js'
import { openShellSession } from '../../src/adapters/kube/sync/shell-session.js'
import { toErrorInfo } from '../../src/errors/devloop-error.js'
import type { SyncOp, SyncSession } from '../../src/ports/sync-transport.js'
import { fileOp, oddNames } from '../contract/sync-samples.js'
import { builtAgent } from '../support/agent.js'
import { localExec, readTree } from '../unit/adapters/kube/sync/local-exec.js'

const never = new AbortController().signal
const { agent, missing } = builtAgent()
const needsAgent = missing ? ` (${missing})` : ''
const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array))
const frame = fc.record({ kind: fc.nat(255), number: fc.nat(0xffff_ffff), body: bytes })

describe("the agent's frames", () => {
  it('come out as they went in, however the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 20 }), fc.infiniteStream(fc.integer({ min: 1, max: 97 })), (frames, sizes) => {
        const stream = Buffer.concat(frames.map(({ kind, number, body }) => frameBytes(kind, number, [body])))
        const found: AgentFrame[] = []
        const reader = createFrameReader((one) => found.push({ ...one, body: Buffer.from(one.body) }))
        for (let at = 0; at < stream.length;) {
          const size = sizes.next().value as number
          reader.push(stream.subarray(at, at + size))
          at += size
        }
        expect(found).toEqual(frames)
      }),
    )
  })

  it('are refused when they are longer than any frame is', () => {
    expect(() => frameBytes(kinds.chunk, 1, [Buffer.alloc(maxFrame)])).toThrow(RangeError)
    const reader = createFrameReader(() => {})
    expect(() => reader.push(frameBytes(1, 1, []).fill(0xff, 0, 4))).toThrow(RangeError)
    expect(() => reader.push(Buffer.alloc(9))).toThrow(RangeError)
  })

  it('hold fields that come out as they went in, and never more than there are', () => {
    fc.assert(
      fc.property(fc.nat(0xffff_ffff), fc.maxSafeNat(), fc.string(), bytes, fc.nat(1000), (number, long, text, rest, cut) => {
        const body = Buffer.concat([numberField(number), longField(long), ...sizedFields(text), ...sizedFields(rest)])
        const read = (from: Buffer): unknown[] => {
          const fields = readFields(from)
          return [fields.number(), fields.long(), fields.text(), fields.sized(), fields.done]
        }
        expect(read(body)).toEqual([number, long, Buffer.from(text).toString(), rest, true])
        if (cut < body.length) expect(() => read(body.subarray(0, cut))).toThrow(RangeError)
      }),
    )
  })
})

describe.skipIf(missing !== undefined)(`the agent${needsAgent}`, () => {
  it('lives or ends with a word, whatever it is sent, and stays below its root', async () => {
    // what these do reaches beyond the folder
    const others: readonly number[] = [kinds.run, kinds.cancel, kinds.restart, kinds.signal, kinds.dial]
    const known = fc.constantFrom(...Object.values(kinds).filter((kind) => !others.includes(kind)))
    const field = fc.oneof(
      fc.nat(3).map(numberField),
      fc.nat(0xffff_ffff).map(numberField),
      fc.maxSafeNat().map(longField),
      fc
        .constantFrom('..', '../x', '/etc', 'a/../../x', '', 'a', 'a/b', 'a\0b', '.')
        .map((text) => Buffer.concat(sizedFields(text))),
      bytes,
    )
    const sent = fc.record({ kind: known, body: fc.array(field, { maxLength: 8 }) })
    await fc.assert(
      fc.asyncProperty(fc.array(sent, { minLength: 1, maxLength: 12 }), fc.nat(20), async (frames, cut) => {
        const all = mkdtempSync(path.join(tmpdir(), 'devloop-garbage-'))
        mkdirSync(path.join(all, 'root'))
        const child = spawn(agent.path, ['serve', '--root', path.join(all, 'root')], { stdio: ['pipe', 'pipe', 'pipe'] })
        const output: Buffer[] = []
        const errors: Buffer[] = []
        child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
        child.stderr.on('data', (chunk: Buffer) => errors.push(chunk))
        child.stdin.on('error', () => {})
        const hello = frameBytes(kinds.hello, 0, [numberField(protocol), ...sizedFields(agent.version), numberField(0)])
        const stream = Buffer.concat(frames.map(({ kind, body }, index) => frameBytes(kind, index + 1, body)))
        child.stdin.end(Buffer.concat([hello, stream.subarray(0, stream.length - cut)]))
        const code = await new Promise((resolve) => child.once('close', resolve))
        const answers: number[] = []
        createFrameReader(({ kind }) => answers.push(kind)).push(Buffer.concat(output))
        expect(Buffer.concat(errors).toString()).toBe('')
        expect([0, 1]).toContain(code)
        expect(answers[0]).toBe(kinds.welcome)
        if (code === 1) expect(answers).toContain(kinds.refused)
        expect([...readTree(all).keys()].filter((one) => !one.startsWith('root'))).toEqual([])
        expect([...readTree(all).keys()].filter((one) => one.includes('.devloop-'))).toEqual([])
        rmSync(all, { recursive: true, force: true })
      }),
      { numRuns: 60 },
    )
  }, 60_000)

  it('answers every wish for a way with one word, or refuses it', async () => {
    const host = fc.constantFrom('127.0.0.1', '::1', 'localhost', '', 'a b', '127.0.0.1:80', '..', '\0', '%', 'é'.repeat(100))
    const port = fc.oneof(fc.nat(70_000), fc.constantFrom(0, 1, 65_535, 65_536, 0xffff_ffff))
    const limit = fc.oneof(fc.nat(50), fc.constantFrom(0, 0xffff_ffff))
    const cut = fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(14) })
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(host, port, limit, cut), { minLength: 1, maxLength: 6 }), async (wishes) => {
        const child = spawn(agent.path, ['serve', '--root', '/nowhere'], { stdio: ['pipe', 'pipe', 'pipe'] })
        child.stdin.on('error', () => {})
        const bodies = wishes.map(([to, at, most, less]) => {
          const body = Buffer.concat([...sizedFields(to), numberField(at), numberField(most)])
          return {
            body: body.subarray(0, body.length - Math.min(less, body.length)),
            good: less === 0 && to !== '' && at > 0 && at < 65_536,
          }
        })
        const hello = frameBytes(kinds.hello, 0, [numberField(protocol), ...sizedFields(agent.version), numberField(0)])
        child.stdin.write(Buffer.concat([hello, ...bodies.map(({ body }, index) => frameBytes(kinds.dial, index + 1, [body]))]))
        const answers = new Map<number, number[]>()
        const refused = bodies.some(({ good }) => !good)
        await new Promise<void>((resolve) => {
          const reader = createFrameReader(({ kind, number }) => {
            answers.set(number, [...(answers.get(number) ?? []), kind])
            const all = bodies.every((_, index) => answers.has(index + 1))
            if (kind === kinds.refused || (!refused && all)) resolve()
          })
          child.stdout.on('data', (chunk: Buffer) => reader.push(chunk))
          child.once('close', () => resolve())
        })
        child.kill()
        expect(answers.get(0)).toEqual(refused ? [kinds.welcome, kinds.refused] : [kinds.welcome])
        for (const [number, given] of answers) {
          if (number === 0) continue
          expect(given).toHaveLength(1)
          expect([kinds.done, kinds.failed]).toContain(given[0])
        }
      }),
      { numRuns: 30 },
    )
  }, 60_000)

  it('makes of any operations what the shell loop makes of them', async () => {
    const name = fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom('a', 'b', 'c') },
      { weight: 1, arbitrary: fc.constantFrom(...oddNames) },
    )
    const file = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join('/'))
    // none that lead to what may be replaced with the link in it: there a shell's mv finds no way any more, and the agent does
    const target = fc.constantFrom('d', 'd/a', '../d', '../outside', '../../outside', 'nowhere')
    const content = fc.oneof(fc.string({ maxLength: 40 }), fc.constant('x'.repeat(300_000)))
    const op = fc.oneof(
      { weight: 4, arbitrary: fc.record({ op: fc.constant('file'), file, content, mode: fc.constantFrom(0o644, 0o755, 0o600) }) },
      { weight: 1, arbitrary: fc.record({ op: fc.constant('link'), file, target }) },
      { weight: 2, arbitrary: fc.record({ op: fc.constantFrom('delete', 'rmdir'), file }) },
    )
    // one after the other: what becomes of the rest of a call that failed is nobody's promise
    const calls = fc.array(op, { minLength: 1, maxLength: 15 })
    await fc.assert(
      fc.asyncProperty(calls, async (steps) => {
        const ends = await Promise.all(
          [openWithAgent, openWithShell].map(async (open) => {
            const all = mkdtempSync(path.join(tmpdir(), 'devloop-both-'))
            const root = path.join(all, 'root')
            mkdirSync(path.join(root, 'd/a'), { recursive: true })
            mkdirSync(path.join(all, 'outside'))
            const session = await open(root)
            const results: unknown[] = []
            for (const step of steps) {
              const to = `${root}/${step.file}`
              const sent = 'content' in step ? fileOp(to, step.content, step.mode) : ({ ...step, path: to } as SyncOp)
              results.push(
                await session.apply([sent], never).then(
                  () => 'done',
                  (thrown: unknown) => toErrorInfo(thrown).code,
                ),
              )
            }
            const paths = [...new Set(steps.map((step) => `${root}/${step.file}`))]
            const held = await session.inspect(paths, never)
            await session.close()
            const tree = readTree(all)
            rmSync(all, { recursive: true, force: true })
            return { results, held: [...held].map(([at, what]) => [at.slice(root.length), what]), tree }
          }),
        )
        expect(ends[0]).toEqual(ends[1])
      }),
      { numRuns: 40 },
    )
  }, 120_000)
})

const openWithAgent = (root: string): Promise<SyncSession> =>
  openAgentSession(
    { exec: localExec(), roots: [root], name: 'a folder', agentPath: agent.path, version: agent.version, sweepAfterMs: 60_000 },
    never,
  )
const openWithShell = (root: string): Promise<SyncSession> =>
  openShellSession({ exec: localExec(), roots: [root], name: 'a folder', sweepAfterMs: 60_000 }, never)
