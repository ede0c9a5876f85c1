// The log of all resources, or of one of them.
import { LogPane } from '../parts/log-pane.js'

export function LogsPage({ name }: { readonly name: string | undefined }) {
  return (
    <div class="logs-page">
      <h2>{name === undefined ? 'Log' : `Log of ${name}`}</h2>
      {name === undefined ? <LogPane choice /> : <LogPane resource={name === 'devloop' ? '' : name} choice key={name} />}
    </div>
  )
}
