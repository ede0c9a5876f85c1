// The newest lines of output of each resource, for whoever tells what went wrong.
import type { DevloopClient } from '../../client/index.js'

export interface LogTails {
  /** Oldest first; at most 20. */
  readonly of: (resource: string) => readonly string[]
  /** Resolves when nothing was printed for a while, or enough is enough. */
  quiet(): Promise<void>
}

const tailLines = 20
const [quietMs, patienceMs] = [300, 2000]

export function createLogTails(client: Pick<DevloopClient, 'logs'>): LogTails {
  const tails = new Map<string, string[]>()
  let touch = (): void => {}
  client.logs({ tail: 1000 }, ({ lines }) => {
    touch()
    for (const { resource, source, text } of lines) {
      // what devloop itself says of it stands elsewhere
      if (resource === '' || source === 'local' || source === 'deploy') continue
      const tail = tails.get(resource) ?? []
      tails.set(resource, tail)
      tail.push(text)
      if (tail.length > tailLines) tail.shift()
    }
  })
  return {
    of: (resource) => tails.get(resource) ?? [],
    quiet: () =>
      new Promise((resolve) => {
        let timer: NodeJS.Timeout | undefined
        const done = (): void => {
          clearTimeout(timer)
          clearTimeout(limit)
          touch = () => {}
          resolve()
        }
        const limit = setTimeout(done, patienceMs)
        touch = () => {
          clearTimeout(timer)
          timer = setTimeout(done, quietMs)
        }
        touch()
      }),
  }
}
