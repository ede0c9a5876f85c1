// Spans of time for people.

/** Milliseconds as 24 ms, 1.8 s, 1 min 30 s, 12 min, 3 h. */
export function timeSpan(milliseconds: number): string {
  const ms = Math.max(0, Math.round(milliseconds))
  if (ms < 1000) return `${ms} ms`
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  const minutes = Math.floor(seconds / 60)
  if (minutes < 10) return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h`
}

/** How long ago something was, as coarse as people read it: 0 s, 42 s, 12 min, 3 h. Shown live, it changes seldom. */
export function age(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000))
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h`
}

/** Milliseconds until `age` says something else. */
export function untilOlder(milliseconds: number): number {
  const ms = Math.max(0, milliseconds)
  const unit = ms < 60_000 ? 1000 : ms < 3_600_000 ? 60_000 : 3_600_000
  return unit - (ms % unit)
}
