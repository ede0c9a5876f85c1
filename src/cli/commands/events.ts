// `devloop events`: the state and every change of it, as JSON lines.
import { findDaemon } from '../../client/index.js'
import { DevloopError } from '../../errors/devloop-error.js'
import type { View, ViewKey, WelcomeMessage } from '../../protocol/messages.js'
import { withDaemon } from '../connect.js'
import { openEventStream, placeText, readPlace } from '../event-stream.js'
import { exitCodes } from '../exit.js'
import { findDevloopfile } from '../find-devloopfile.js'
import { interruptible } from '../interrupted.js'
import { checkSelectors, selectedResources } from '../select-views.js'

export interface EventsOptions {
  readonly file?: string
  /** Resources that are meant, as names or `label:NAME`; empty = all. */
  readonly only: readonly string[]
  /** Kinds of views; undefined = all. */
  readonly kinds?: readonly View['kind'][]
  /** `EPOCH:SEQ`: go on behind this place. */
  readonly since?: string
}

/** @throws DevloopError usage, daemon/not-running, request/unknown-resource */
export async function events({ file, only, kinds, since }: EventsOptions): Promise<number> {
  const place = since === undefined ? undefined : readPlace(since)
  const devloopfile = findDevloopfile(file)
  const resources = await names(devloopfile, only)
  const discovery = await findDaemon({ devloopfile })
  if (!discovery) throw new DevloopError('daemon/not-running', `devloop does not run for ${devloopfile}`)
  const state = kinds || resources ? { ...(kinds && { kinds }), ...(resources && { resources }) } : undefined
  return interruptible(async (signal) => {
    let epoch = ''
    let isPaused = false
    const write = (event: object): void => {
      const isTaken = process.stdout.write(`${JSON.stringify({ time: Date.now(), ...event })}\n`)
      if (isTaken || isPaused) return
      // who reads slowly gets fewer and larger changes
      isPaused = true
      stream.pause()
      process.stdout.once('drain', () => {
        isPaused = false
        stream.resume()
      })
    }
    // the daemon tells of the session in any case
    const isAsked = ({ kind }: ViewKey): boolean => kinds?.includes(kind) ?? true
    const tell = (upserts: readonly View[], removes: readonly ViewKey[], seq: number): void => {
      const lines = [
        ...upserts.filter(isAsked).map((view) => ({ event: 'upsert', view })),
        ...removes.filter(isAsked).map((key) => ({ event: 'remove', key })),
      ]
      // only the last one says where one stands: who goes on behind it has all that changed at once
      lines.forEach((line, index) => write(index < lines.length - 1 ? line : { ...line, place: placeText({ epoch, seq }) }))
    }
    const begin = (welcome: WelcomeMessage): void => {
      const { seq, snapshot, deltas } = welcome
      epoch = welcome.epoch
      write({ event: deltas ? 'resumed' : 'begin', epoch, seq, version: welcome.version })
      tell(snapshot ?? deltas?.upserts ?? [], deltas?.removes ?? [], seq)
    }
    const stream = openEventStream({
      socket: discovery.socket,
      ...(place && { resume: place }),
      ...(state && { state }),
      onWelcome: begin,
      onDelta: ({ upserts, removes, seq }) => tell(upserts, removes, seq),
    })
    signal.addEventListener('abort', stream.close)
    const { reason } = await stream.ended
    signal.throwIfAborted()
    write({ event: 'end', reason })
    return exitCodes.ok
  })
}

/** The resources that selectors mean now; undefined = all. */
async function names(devloopfile: string, only: readonly string[]): Promise<readonly string[] | undefined> {
  if (only.length === 0) return undefined
  let found: readonly string[] = []
  await withDaemon(devloopfile, ['state'], async (client) => {
    checkSelectors(client.views(), only)
    found = selectedResources(client.views(), only).map(({ name }) => name)
    return exitCodes.ok
  })
  return found
}
