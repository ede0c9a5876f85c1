// Logs in output channels: one for each resource whose log was asked for, and one for all of a project. Nothing is followed before.
import type { DevloopClient } from 'devloop/client'
import * as vscode from 'vscode'
import { logText } from './log-text.js'
import type { Project } from './project.js'
import type { Projects } from './projects.js'

export interface LogChannels extends vscode.Disposable {
  /** Opens the log of a resource, or of all, and follows it from now on. */
  show(project: Project, resource: string | undefined): void
}

interface Followed {
  readonly devloopfile: string
  readonly resource: string | undefined
  readonly channel: vscode.OutputChannel
  client: DevloopClient | undefined
  end(): void
}

const tail = 1_000
/** A connection has room for 16 selections, of which some stay free for other use. */
const most = 12

export function createLogChannels(projects: Projects): LogChannels {
  const followed = new Map<string, Followed>()

  /** On the connection that there is; the client itself goes on where it was when that was lost. */
  function follow(one: Followed): void {
    const client = projects.get(one.devloopfile)?.client
    if (one.client === client) return
    one.end()
    one.client = client
    if (!client) return
    const selection = { tail, ...(one.resource === undefined ? {} : { resources: [one.resource] }) }
    one.end = client.logs(selection, ({ lines, dropped }) => {
      const texts = [...(dropped > 0 ? [`… ${dropped} lines are missing here`] : []), ...lines.map(logText)]
      if (texts.length > 0) one.channel.append(`${texts.join('\n')}\n`)
    })
  }
  function forget(key: string, { end, channel }: Followed): void {
    followed.delete(key)
    end()
    channel.dispose()
  }
  projects.onChange((_, change) => {
    if (!change) for (const one of followed.values()) follow(one)
  })

  return {
    show({ devloopfile, name }, resource) {
      const key = `${devloopfile}\n${resource ?? ''}`
      let one = followed.get(key)
      if (!one) {
        const [oldest] = followed
        if (followed.size >= most && oldest) forget(...oldest)
        const title = [resource ?? 'all', ...(projects.all().length > 1 ? [name] : [])].join(', ')
        const channel = vscode.window.createOutputChannel(`devloop: ${title}`, 'log')
        one = { devloopfile, resource, channel, client: undefined, end: () => undefined }
        followed.set(key, one)
      }
      follow(one)
      one.channel.show(true)
    },
    dispose() {
      for (const entry of followed) forget(...entry)
    },
  }
}
