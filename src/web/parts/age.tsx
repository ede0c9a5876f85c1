// Times, as long ago and as of the clock.
import { timeSpan } from '../../client/status/time-span.js'
import { usePage } from '../page-context.js'

/** Such as `3 min ago`. Below a minute the seconds are not told: they would have to be drawn each second. */
export function Ago({ at }: { readonly at: number }) {
  const ms = usePage().now.value - at
  const text = ms < 60_000 ? 'just now' : `${timeSpan(ms)} ago`
  return (
    <time dateTime={new Date(at).toISOString()} title={new Date(at).toLocaleString()}>
      {text}
    </time>
  )
}

const two = (value: number): string => String(value).padStart(2, '0')

/** Such as `14:03:07`. */
export function clock(at: number): string {
  const time = new Date(at)
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`
}
