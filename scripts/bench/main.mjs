// `npm run bench`: measures the built product from outside, as its users meet it. See docs/bench.md.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createCleanup } from './cleanup.mjs'
import { readOptions, usage } from './options.mjs'
import { makeRow, table } from './report.mjs'

const say = (text) => process.stderr.write(`bench: ${text}\n`)
const root = fileURLToPath(new URL('../..', import.meta.url))

/** Sections that need no cluster. */
const anywhere = ['process', 'page', 'slow-client', 'clients', 'idle-clients']

async function main() {
  const options = readOptions(process.argv.slice(2))
  if (options.help) return process.stdout.write(usage)
  const cleanup = createCleanup(say)
  const home = await mkdtemp(join(tmpdir(), 'devloop-bench-'))
  cleanup.add('temporary files', () => (options.keep ? say(`left: ${home}`) : rm(home, { recursive: true, force: true })))
  const rows = []
  const leftOut = []
  const failed = []
  const started = Date.now()
  const add = (row) => {
    const made = { ...makeRow(row), load: Math.round(loadavg()[0] * 10) / 10 }
    rows.push(made)
    say(
      `${made.id}: median ${made.median} ${made.unit} (n ${made.n})${made.verdict === 'miss' ? `, MISSED: ${made.missed.join('; ')}` : ''}`,
    )
  }
  const { createBench } = await import('./bench.mjs')
  const bench = await createBench({ options, home, root, cleanup, say, add })
  try {
    for (const name of options.sections) {
      const missing = anywhere.includes(name) ? undefined : bench.noCluster
      if (missing) {
        leftOut.push({ section: name, why: missing })
        continue
      }
      say(`${name} ...`)
      const { section } = await import(`./sections/${name}.mjs`)
      try {
        const why = await section(bench)
        if (why) leftOut.push({ section: name, why })
      } catch (error) {
        failed.push({ section: name, why: error.message })
        say(`${name} failed: ${error.stack}`)
        await bench.reset()
      }
    }
  } finally {
    await cleanup.run()
  }
  const machine = { cpus: availableParallelism(), model: cpus()[0]?.model, node: process.version, platform: process.platform }
  const report = {
    date: new Date(started).toISOString(),
    seconds: Math.round((Date.now() - started) / 1000),
    quick: options.quick,
    machine,
    rows,
    leftOut,
    failed,
  }
  if (options.json && options.json !== '-') await writeFile(options.json, `${JSON.stringify(report, null, 2)}\n`)
  if (options.json === '-') process.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
  else process.stdout.write(`\n${table(rows)}\n${lists(leftOut, 'Left out')}${lists(failed, 'Failed')}`)
  const missed = rows.filter((row) => row.verdict === 'miss').length
  if (missed > 0) say(`${missed} of ${rows.filter((row) => row.verdict !== 'none').length} limits missed`)
  process.exitCode = failed.length > 0 || missed > 0 ? 1 : 0
}

const lists = (entries, title) =>
  entries.length === 0 ? '' : `\n${title}:\n${entries.map(({ section, why }) => `- ${section}: ${why}\n`).join('')}`

try {
  await main()
} catch (error) {
  process.stderr.write(
    `bench: ${error.code?.startsWith?.('ERR_PARSE_ARGS') || error.message.startsWith('there is no section') ? `${error.message}\n\n${usage}` : error.stack}\n`,
  )
  process.exitCode = 2
}
// connections of client libraries must not keep a finished run
setTimeout(() => process.exit(), 1_000).unref()
