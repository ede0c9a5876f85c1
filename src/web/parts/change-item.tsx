// One change: what was saved, what became of it, why, and where the time went.
import { changeEnd, changeTitle, changeWhy } from '../../client/status/change-words.js'
import type { ChangeView } from '../../protocol/messages.js'
import { hashOf } from '../address.js'
import { clock } from './age.js'
import { Stages } from './stages.js'
import { Dot, ToneText } from './tone-text.js'

export function ChangeItem({ change }: { readonly change: ChangeView }) {
  const end = changeEnd(change)
  const why = changeWhy(change)
  return (
    <li class="change" data-change={change.name}>
      <div class="change-head">
        <Dot tone={end.tone} />
        <time class="change-time" dateTime={new Date(change.at).toISOString()}>
          {clock(change.at)}
        </time>
        <span class="change-title" title={change.paths.join('\n')}>
          {changeTitle(change)}
        </span>
        {change.resources.map((name) => (
          <a class="chip" href={hashOf({ view: 'resource', name })} key={name}>
            {name}
          </a>
        ))}
        <ToneText {...end} class="change-end" />
      </div>
      <Stages change={change} />
      {why.map((text) => (
        <p class="change-why" key={text}>
          {text}
        </p>
      ))}
    </li>
  )
}
