// What is wrong, whole: whom it concerns, what, where, why, and what to do.
import { harmless } from '../../client/status/harmless.js'
import type { Trouble } from '../../client/status/troubles.js'
import type { ErrorInfo } from '../../errors/devloop-error.js'
import { hashOf } from '../address.js'
import { usePage } from '../page-context.js'
import { Icon } from './icon.js'

export interface ErrorBlockProps {
  readonly error: ErrorInfo
  readonly level?: Trouble['level']
  /** Names of resources, or `devloop` and `Devloopfile`. */
  readonly subjects?: readonly string[]
  /** Shown in one line, and the rest when it is asked for. */
  readonly folded?: boolean
}

/** More of a reason than this is folded. Lines. */
const foldedAbove = 12

export function ErrorBlock({ error, level = 'error', subjects = [], folded = false }: ErrorBlockProps) {
  const page = usePage()
  const place = error.where && placeOf(error.where)
  const why = lines(error.why)
  const [first = '', ...more] = lines(error.message)
  const what = (
    <>
      <span class={`badge badge-${level}`}>{level}</span>
      {subjects.map((name) =>
        page.views.value.has(`resource/${name}`) ? (
          <a class="trouble-subject" href={hashOf({ view: 'resource', name })} key={name}>
            {name}
          </a>
        ) : (
          <span class="trouble-subject" key={name}>
            {name}
          </span>
        ),
      )}
      <span class="trouble-message">{first}</span>
      <code class="trouble-code">{error.code}</code>
    </>
  )
  const rest = (
    <>
      {place && (
        <p class="trouble-where">
          <code>{place}</code>
          <CopyButton text={place} what="the place" />
        </p>
      )}
      <Words lines={[...more, ...why]} />
      {error.help !== '' && <p class="trouble-help">{error.help}</p>}
    </>
  )
  return folded ? (
    <details class={`trouble trouble-${level}`}>
      <summary class="trouble-what">{what}</summary>
      {rest}
    </details>
  ) : (
    <article class={`trouble trouble-${level}`}>
      <p class="trouble-what">{what}</p>
      {rest}
    </article>
  )
}

function Words({ lines: all }: { readonly lines: readonly string[] }) {
  if (all.length === 0) return null
  const text = (
    <pre class="words" tabIndex={0} role="group" aria-label="Reason">
      {all.join('\n')}
    </pre>
  )
  if (all.length <= foldedAbove) return text
  return (
    <details class="words-folded">
      <summary>{all.length} lines of reason</summary>
      {text}
    </details>
  )
}

const lines = (text = ''): readonly string[] => (text === '' ? [] : text.trimEnd().split('\n').map(harmless))

const placeOf = ({ file, line, column }: NonNullable<ErrorInfo['where']>): string =>
  `${file}:${line}${column === undefined ? '' : `:${column}`}`

/** Puts a text into the clipboard, and says so. */
export function CopyButton({ text, what }: { readonly text: string; readonly what: string }) {
  const page = usePage()
  const copy = (): void =>
    void navigator.clipboard.writeText(text).then(
      () => page.say(`Copied ${what}`),
      () => page.say('The browser does not allow copying here'),
    )
  return (
    <button type="button" class="button-quiet" onClick={copy} title={`Copy ${what}`} aria-label={`Copy ${what}`}>
      <Icon name="copy" />
    </button>
  )
}
