// Loaded into a daemon beside its own code (`node --import`): keeps how late its event loop is. Read by `loopDelay` of inspector.mjs.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { isMainThread } from 'node:worker_threads'

/** Milliseconds between two looks; part of every delay that the histogram has. */
const resolution = 2

if (isMainThread) {
  const histogram = monitorEventLoopDelay({ resolution })
  histogram.enable()
  globalThis.benchLoopDelay = () => {
    const ms = (nanoseconds) => Math.max(0, nanoseconds / 1e6 - resolution)
    const seen = {
      p50: ms(histogram.percentile(50)),
      p99: ms(histogram.percentile(99)),
      max: ms(histogram.max),
      n: histogram.count,
    }
    histogram.reset()
    return seen
  }
}
