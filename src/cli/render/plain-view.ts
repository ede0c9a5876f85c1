// `devloop watch` into a pipe or file: stable lines, one for each thing that happened.
import type { DevloopClient } from '../../client/index.js'
import type { ResourceView, View } from '../../protocol/messages.js'
import { errorText } from '../exit.js'
import { logText } from './log-line.js'
import { ms, plainStyle } from './rows.js'

export interface StatusView {
  close(): void
}

export function createPlainView(client: DevloopClient, out: NodeJS.WritableStream): StatusView {
  const told = new Map<string, string>()
  const write = (line: string): void => void out.write(`${line}\n`)
  /** Say something about a subject, unless it was the last thing said about it. */
  const say = (subject: string, line: string): void => {
    if (told.get(subject) === line) return
    told.set(subject, line)
    write(line)
  }
  const tell = (view: View): void => {
    if (view.kind === 'session') {
      const { runtime, devloopfile } = view
      if (devloopfile.error) say('devloopfile', `devloop: ${errorText(devloopfile.error)}`)
      else if (devloopfile.state === 'ok') say('devloopfile', `devloop: plan ${devloopfile.generation} is in force`)
      if (runtime.error) say('runtime', `devloop: ${errorText(runtime.error)}`)
      else if (runtime.state === 'connected') say('runtime', `devloop: connected to ${runtime.kind === 'process' ? 'the process runtime' : `${runtime.context}/${runtime.namespace}`}`)
      for (const problem of view.problems) say(`problem ${problem.code}`, `devloop: ${errorText(problem)}`)
    } else if (view.kind === 'resource') {
      tellResource(view)
    } else if (view.kind === 'change' && view.outcome !== 'pending' && view.outcome !== 'nothing') {
      const paths = view.pathCount === 1 ? view.paths[0] : `${view.pathCount} paths`
      say(`change ${view.name}`, `change: ${paths} ${view.outcome}${view.liveMs === undefined ? '' : ` in ${ms(view.liveMs)}`}`)
    }
  }
  const tellResource = (view: ResourceView): void => {
    const reason = view.error ? `: ${errorText(view.error)}` : view.hold && view.status === 'pending' ? `: ${view.hold.message}` : ''
    const where = view.ready && view.endpoints.length > 0 ? ` at ${view.endpoints.map((one) => one.url).join(', ')}` : ''
    say(`resource ${view.name}`, `${view.name}: ${view.status}${reason}${where}`)
  }
  client.onViews(({ upserts, removes }) => {
    for (const view of upserts) tell(view)
    for (const { kind, name } of removes) if (kind === 'resource') say(`resource ${name}`, `${name}: removed`)
  })
  client.logs({ tail: 1000 }, ({ lines }) => {
    for (const line of lines) write(logText(line, plainStyle))
  })
  return { close: () => {} }
}
