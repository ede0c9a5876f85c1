// Holds a server of the status protocol against docs/protocol.md. Knows nothing of devloop but that document's JSON Schema.
import { parseArgs } from 'node:util'
import { isDeepStrictEqual } from 'node:util'
import { setTimeout as delay } from 'node:timers/promises'
import { checks as access } from './checks/access.mjs'
import { checks as endurance, ending } from './checks/endurance.mjs'
import { checks as greeting } from './checks/greeting.mjs'
import { checks as logs } from './checks/logs.mjs'
import { checks as requests } from './checks/requests.mjs'
import { checks as state } from './checks/state.mjs'
import { brief, createSchema } from './schema.mjs'
import { createTransport, Seen } from './wire.mjs'

const usage = `node scripts/conformance/server.mjs [--socket PATH] [--url URL --token TOKEN [--read-token TOKEN]] [options]

  --socket PATH      the server's Unix socket
  --url URL          its address on TCP, such as http://127.0.0.1:41000; with the token
  --only NAMES       checks whose names begin with one of these, separated by commas
  --patient          also those that take minutes
  --end              end the server at last, to see how it says goodbye
  --strict           what could not be checked is a failure, too
  --json             one JSON object a check, instead of lines for people
  --list             the checks and what they hold the server to, without any server

The server should run the project in scripts/conformance/project: \`devloop watch --runtime process\` there. Checks that need its
resources are left out with another project. They trigger and reload, and change nothing else. Exit code 0: all passed, 1: not all, 2:
wrong arguments.
`

const all = [...greeting, ...state, ...logs, ...requests, ...access, ...endurance]

function readArguments() {
  const flag = { type: 'boolean', default: false }
  const text = { type: 'string' }
  const { values } = parseArgs({
    options: {
      socket: text,
      url: text,
      token: text,
      'read-token': text,
      only: text,
      patience: text,
      patient: flag,
      end: flag,
      strict: flag,
      json: flag,
      list: flag,
      help: flag,
    },
  })
  if (!values.help && !values.list && !values.socket && !values.url) throw new Error('name --socket or --url')
  if (values.url && !values.token) throw new Error('--url needs --token')
  return values
}

async function main() {
  const options = readArguments()
  if (options.help) return process.stdout.write(usage)
  if (options.list) return process.stdout.write([...all, ending].map(({ name, says }) => `${name}\n    ${says}\n`).join(''))
  const schema = createSchema()
  const patienceMs = Number(options.patience ?? 10) * 1_000
  const ways = [
    ...(options.socket ? [{ socket: options.socket }] : []),
    ...(options.url ? [{ url: options.url, token: options.token, readToken: options['read-token'] }] : []),
  ].map((where) => createTransport(where, { schema, patienceMs }))
  const wanted = (check) => !options.only || options.only.split(',').some((name) => check.name.startsWith(name.trim()))
  const chosen = all.filter((check) => wanted(check) && (options.patient || !check.patient))
  const results = []
  const tell = (result) => {
    results.push(result)
    process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : lineOf(result))
  }
  // one connection does what the checks ask for; it is there before them all, so that it is no part of what they see
  const stage = await createStage(ways[0], patienceMs)
  const jobs = ways.flatMap((transport) =>
    chosen.filter((check) => !check.on || check.on === transport.kind).map((check) => ({ transport, check })),
  )
  const run = async ({ transport, check }) => tell(await perform(check, transport, stage))
  const beside = Promise.all(jobs.filter(({ check }) => check.beside).map(run))
  for (const job of jobs.filter(({ check }) => !check.beside)) await run(job)
  await beside
  stage.close()
  if (options.end && wanted(ending)) tell(await perform(ending, ways[0], stage))
  const count = (outcome) => results.filter((one) => one.outcome === outcome).length
  if (!options.json) process.stdout.write(`\n${count('pass')} passed, ${count('fail')} failed, ${count('left out')} left out\n`)
  process.exitCode = count('fail') > 0 || results.length === 0 || (options.strict && count('left out') > 0) ? 1 : 0
}

const lineOf = ({ name, transport, outcome, says, seen }) =>
  outcome === 'pass'
    ? `ok    ${transport}  ${name}\n`
    : outcome === 'left out'
      ? `-     ${transport}  ${name}: left out, ${seen}\n`
      : `FAIL  ${transport}  ${name}\n        the document says: ${says}\n        seen: ${seen}\n`

/** What makes things happen at the server: a client with all rights. */
async function createStage(transport, patienceMs) {
  const wire = await transport.greet({ client: 'conformance stage/1.0' })
  const resources = () => [...wire.views.values()].filter((view) => view.kind === 'resource').map((view) => view.name)
  const session = () => wire.views.get('session/session')
  const must = (reply) => {
    if (reply.error) throw new Seen(`a request of the suite itself was refused: ${brief(reply.error)}`)
  }
  await wire.until(() => session()?.devloopfile.generation > 0 && resources().length > 0, 'plan in force', 60_000)
  return {
    has: (need) => (need === 'readToken' ? undefined : resources().includes(need)),
    /** Changes the state: the Devloopfile is loaded again. */
    async nudge() {
      const { generation } = session().devloopfile
      must(await wire.request('reload', {}))
      await wire.until(
        () => session().devloopfile.generation > generation && session().devloopfile.state === 'ok',
        'another generation of the plan',
        30_000,
      )
    },
    /** Has a resource of the project run to its end, which it writes lines in. */
    async write(resource) {
      if (!resources().includes(resource)) return this.nudge()
      must(await wire.request('trigger', { resource, wait: true }, { ms: 60_000 }))
    },
    patienceMs,
    close: () => wire.close(),
  }
}

/** Runs one check. @returns `{ name, transport, outcome, says, seen? }` */
async function perform(check, transport, stage) {
  const about = { name: check.name, transport: transport.kind, says: check.says }
  const missing = (check.needs ?? []).find((need) => (need === 'readToken' ? !transport.readToken : !stage.has(need)))
  if (missing) return { ...about, outcome: 'left out', seen: `there is no ${missing}` }
  const wires = []
  const kept = async (opening) => {
    const wire = await opening
    wires.push(wire)
    return wire
  }
  const t = {
    transport,
    http: transport.http,
    open: (options) => kept(transport.open(options)),
    greet: (changes, options) => kept(transport.greet(changes, options)),
    nudge: () => stage.nudge(),
    write: (resource) => stage.write(resource),
    check(condition, seen) {
      if (!condition) throw new Seen(seen)
    },
    same(actual, expected, what) {
      if (!isDeepStrictEqual(actual, expected)) throw new Seen(`${what}: ${brief(actual)}; should be ${brief(expected)}`)
    },
    /** Two clients come to have the same state. */
    async agree(one, other) {
      const end = performance.now() + stage.patienceMs
      while (!isDeepStrictEqual(new Map(one.views), new Map(other.views))) {
        if (performance.now() > end)
          throw new Seen(`a client's state is not that of another: ${difference(one.views, other.views)}`)
        await delay(10)
      }
    },
  }
  try {
    await check.run(t)
    const violation = wires.flatMap((wire) => wire.violations)[0]
    if (violation) throw new Seen(violation)
    return { ...about, outcome: 'pass' }
  } catch (error) {
    const violation = wires.flatMap((wire) => wire.violations)[0]
    const seen = error instanceof Seen ? error.message : `the check itself failed: ${error.stack}`
    return { ...about, outcome: 'fail', seen: violation && violation !== seen ? `${seen} (and ${violation})` : seen }
  } finally {
    for (const wire of wires) wire.close()
  }
}

function difference(one, other) {
  const key = [...new Set([...one.keys(), ...other.keys()])].find((name) => !isDeepStrictEqual(one.get(name), other.get(name)))
  return `${key} is ${brief(one.get(key), 600)} and ${brief(other.get(key), 600)}`
}

try {
  await main()
} catch (error) {
  process.stderr.write(error instanceof Seen ? `conformance: ${error.message}\n` : `conformance: ${error.message}\n\n${usage}`)
  process.exitCode = 2
}
// a connection that is left must not keep a finished run
setTimeout(() => process.exit(), 1_000).unref()
