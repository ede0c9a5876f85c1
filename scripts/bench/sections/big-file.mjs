// A file of 100 MB saved, until the app finds all of it; and the same bytes by a plain exec of `cat`.
import { createCipheriv, createHash, randomBytes } from 'node:crypto'
import { createReadStream, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stagesSince } from '../devloop.mjs'
import { pauseBetween } from '../pause.mjs'
import { median, medians } from '../stats.mjs'

const megabytes = 100

export async function section({ options, small, cluster, folder, add }) {
  const n = options.quick ? 2 : 7
  const session = await small()
  const kube = await cluster()
  const probe = session.probe()
  const beside = join(await folder('beside'), 'large')
  const local = join(session.project.context, 'one-large')
  mkdirSync(local, { recursive: true })
  const times = { devloop: [], floor: [], stages: [] }
  const found = (path, { stamp }) => probe.until(`/stamp?${path}`, (answer) => answer === stamp, { pauseMs: 2 })
  const same = async (path, { hash }) => {
    if ((await probe.ask(`/hash?${path}`, 60_000)) !== hash) throw new Error(`what is in ${path} is not what was saved`)
  }

  const byDevloop = async (i, content) => {
    // it is renamed into place, so that writing it here is no part of the time
    const saved = performance.timeOrigin + performance.now()
    const start = performance.now()
    renameSync(beside, join(local, 'file.bin'))
    const { at } = await found('one-large/file.bin', content)
    const change = await session.changes.settled(saved)
    await same('one-large', content)
    if (i < 0) return
    times.devloop.push(at - start)
    times.stages.push({ ...stagesSince(change, saved), answer: at - start })
  }
  const byFloor = async (i, content) => {
    // the shell stays: the runtime ends the input of a command that has closed its output
    const command = 'mkdir -p floor/large && echo ready && cat > floor/large/file.bin; echo ended'
    const stream = await kube.openExec(session.target(), ['sh', '-c', command])
    await stream.line()
    const start = performance.now()
    const [{ at }] = await Promise.all([
      found('floor/large/file.bin', content),
      stream.pipe(createReadStream(beside, { highWaterMark: 128 * 1024 })),
    ])
    await stream.close()
    await same('floor/large', content)
    if (i >= 0) times.floor.push(at - start)
  }

  // the first makes the files, the others change them
  for (let i = -1; i < n; i++) {
    const both = [byDevloop, byFloor]
    for (const one of i % 2 === 0 ? both : both.toReversed()) {
      await one(i, writeRandom(beside))
      await pauseBetween(500, 1_000)
    }
  }
  probe.close()
  // as it was, for what comes after this
  const saved = performance.timeOrigin + performance.now()
  rmSync(join(local, 'file.bin'))
  await session.changes.settled(saved)
  add({
    id: 'big-file',
    what: `${megabytes} MB in one file saved until all of it is in the pod`,
    values: times.devloop,
    stages: medians(times.stages),
  })
  add({ id: 'big-file.floor', what: 'the same bytes by a plain exec of cat', values: times.floor })
  const ratio = median(times.devloop) / median(times.floor)
  add({
    id: 'big-file.ratio',
    what: 'that / its floor (medians)',
    unit: '×',
    values: [ratio],
    // 70 % of the throughput
    limits: { median: 1.43 },
    note: `${Math.round(100 / ratio)} % of the throughput of its floor: ${Math.round(megabytes / (median(times.devloop) / 1_000))} MB/s`,
  })
}

/** Write a file of new bytes that no compression makes smaller. @returns how the app tells it from others */
function writeRandom(file) {
  const bytes = createCipheriv('aes-128-ctr', randomBytes(16), randomBytes(16)).update(Buffer.alloc(megabytes * 1_000_000))
  writeFileSync(file, bytes)
  return {
    stamp: `${bytes.length} ${Buffer.concat([bytes.subarray(0, 16), bytes.subarray(-16)]).toString('hex')}`,
    hash: createHash('sha256').update('/file.bin').update(bytes).digest('hex'),
  }
}
