// Measures a daemon that has nothing to do. While it waits, this process does nothing but sleep.
import { setTimeout as delay } from 'node:timers/promises'
import { memory, processorMs } from './usage.mjs'

/**
 * @param during is called when the time begins, and what it returns when it ends
 * @returns why it was left out, if it was
 */
export async function measureIdle({ id, of, daemon, limits, options, say, add, during = async () => async () => {} }) {
  if (process.platform !== 'linux') return 'it reads /proc, which only Linux has'
  const waitMs = options.quick ? 5_000 : 60_000
  const { client, close } = daemon.connect()
  await daemon.ready(client, 600_000)
  close()
  say(`${id}: waiting ${waitMs / 1000} s, then measuring for as long`)
  await delay(Math.max(0, waitMs - (performance.now() - daemon.startedAt)))
  const ended = await during()
  const begin = performance.now()
  const used = await processorMs(daemon.pid)
  await delay(waitMs)
  const cpu = ((await processorMs(daemon.pid)) - used) / (performance.now() - begin)
  const { mb, processes } = await memory(daemon.pid)
  await ended()
  await daemon.stop()
  add({
    id: `${id}.cpu`,
    what: `idle, ${of}: processor of one core`,
    unit: '%',
    values: [cpu * 100],
    limits: limits.cpu === undefined ? {} : { median: limits.cpu },
  })
  add({
    id: `${id}.memory`,
    what: `idle, ${of}: resident memory, children too`,
    unit: 'MB',
    values: [mb],
    limits: limits.mb === undefined ? {} : { median: limits.mb },
    note: processes.map((one) => `${one.name} ${Math.round(one.mb)} MB`).join(', '),
  })
  return undefined
}
