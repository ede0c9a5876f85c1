// Commands that run as a chosen user, in real containers: the shell loop and the agent alike.
import { describe, expect, it } from 'vitest'
import type { SyncSession } from '../../src/ports/sync-transport.js'

export interface RunUserSuite {
  readonly name: string
  /** A session in a container that runs as root, with busybox, and in one that runs as another user. */
  readonly open: Readonly<Record<'root' | 'nonroot', () => Promise<SyncSession>>>
}

const never = new AbortController().signal

/** Declares the suite. */
export function runUserSuite({ name, open }: RunUserSuite): void {
  describe(`commands as a chosen user: ${name}`, () => {
    it('run as it, with its group and home', async () => {
      const session = await open.root()
      const lines: string[] = []
      const run = (command: string | readonly string[], user: string): Promise<{ exitCode: number }> =>
        session.run(command, (line) => lines.push(line), never, user)
      expect(await run('echo "$(id -un) $(id -u) $(id -g) $HOME"; exit 4', 'nobody')).toEqual({ exitCode: 4 })
      expect(lines.splice(0)).toEqual(['nobody 65534 65534 /'])
      // an array keeps its words
      expect(await run(['printf', '%s|', "it's  $HOME", 'a\nb', ''], 'nobody')).toEqual({ exitCode: 0 })
      expect(lines.splice(0)).toEqual(["it's  $HOME|a", 'b||'])
      expect(await run(['id', '-u'], 'root')).toEqual({ exitCode: 0 })
      expect(await run(['id', '-u'], '65534')).toEqual({ exitCode: 0 })
      expect(lines.splice(0)).toEqual(['0', '65534'])
      await expect(run(['id'], 'no-such-user')).rejects.toMatchObject({
        code: 'run/failed',
        info: { why: 'there is no user no-such-user' },
      })
      await session.close()
    })

    it('are refused where the container may not become it', async () => {
      const session = await open.nonroot()
      const lines: string[] = []
      await session.run(['id', '-u'], (line) => lines.push(line), never)
      const [own = ''] = lines
      expect(await session.run(['id', '-u'], (line) => lines.push(line), never, own)).toEqual({ exitCode: 0 })
      await expect(session.run('id -u', (line) => lines.push(line), never, 'nobody')).rejects.toMatchObject({
        code: 'run/failed',
        info: { why: `the container runs as ${own}, which may not become another user` },
      })
      expect(lines).toEqual([own, own])
      await session.close()
    })
  })
}
