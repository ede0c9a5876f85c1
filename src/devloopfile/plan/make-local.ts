// Local commands: a declared one becomes the specification in the plan.
import type { LocalSpec } from '../../model/plan.js'
import type { LocalOptions } from '../api/types.js'
import type { DeclaredResource, Encoded } from '../declaration.js'
import { broken, command, dnsLabel, options, port, record, wrong, type Subject } from './fields.js'
import { makeCwd } from './make-cwd.js'
import { graphKnown, makeGraph } from './make-graph.js'
import type { Needs } from './make-needs.js'
import { makeReadiness } from './make-readiness.js'
import { makeEnv } from './make-text.js'
import { makeWatch } from './make-watch.js'
import { called } from './names.js'
import type { PlanWork } from './work.js'

const known: Record<keyof LocalOptions, true> = {
  run: true,
  serve: true,
  watch: true,
  port: true,
  ready: true,
  restart: true,
  env: true,
  cwd: true,
  ...graphKnown,
}

export async function makeLocal(work: PlanWork, resource: DeclaredResource, needs: Needs): Promise<LocalSpec> {
  const subject: Subject = { name: called('local', resource.name), at: resource.at, problems: work.problems }
  const given = options(subject, '', resource.options, known)
  const run = command(subject, 'run', given.run)
  const serve = command(subject, 'serve', given.serve)
  const cwd = await makeCwd(work, subject, given.cwd)
  const listens = port(subject, 'port', given.port)
  if (given.run === undefined && given.serve === undefined && record(resource.options)) {
    broken(subject, 'it has neither `run` nor `serve`, so that there is nothing to do.', undefined, 'Give it the command to run.')
  } else if (listens !== undefined && given.serve === undefined) {
    broken(subject, '`port` is for `serve`: a `run` ends.', undefined, 'Remove `port`, or use `serve`.')
  }
  for (const key of ['ready', 'restart'] as const) {
    if (given[key] !== undefined && given.serve === undefined && given.run !== undefined)
      broken(subject, `\`${key}\` is for \`serve\`: a \`run\` ends.`, undefined, `Remove \`${key}\`, or use \`serve\`.`)
  }
  const ready = makeReadiness(subject, given.ready, listens)
  return {
    kind: 'local',
    name: dnsLabel(subject, 'name', resource.name) ?? '',
    ...(run === undefined ? {} : { run }),
    ...(serve === undefined ? {} : { serve }),
    ...(listens === undefined || serve === undefined ? {} : { port: listens }),
    ...(ready === undefined || serve === undefined ? {} : { ready }),
    restart: makeRestart(subject, given.restart),
    cwd,
    watch: makeWatch(subject, given.watch),
    env: checkEnv(work, subject, makeEnv(work, subject, given.env)),
    ...makeGraph(subject, given, needs),
    forward: [],
    at: resource.at,
  }
}

const policies = ['always', 'on-failure', 'never'] as const

function makeRestart(subject: Subject, value: Encoded): LocalSpec['restart'] {
  const policy = policies.find((one) => one === value)
  if (policy === undefined && value !== undefined) wrong(subject, 'restart', "'always', 'on-failure' or 'never'", value)
  return policy ?? 'never'
}

/** A command on this machine knows no value of the cluster, and reaches an app by what is forwarded. */
function checkEnv(work: PlanWork, subject: Subject, env: LocalSpec['env']): LocalSpec['env'] {
  for (const [key, text] of Object.entries(env)) {
    for (const part of text) {
      if (part.kind === 'generated') {
        const why = 'It stays in the cluster, and is given to apps only.'
        broken(subject, `\`env.${key}\` holds the generated value '${part.name}'.`, why, 'Use it in the `env` of an app.')
      } else if (part.kind === 'address') {
        work.later.push((made) => {
          const ports = made.ports.get(part.resource) ?? []
          const port = part.port ?? ports[0]
          // a port that is not there was reported for that
          if (port === undefined || !ports.includes(port) || made.forwarded.get(part.resource)?.includes(port)) return
          const message = `\`env.${key}\` holds the address of app '${part.resource}', whose port '${port}' is not forwarded to this machine.`
          broken(subject, message, undefined, `Give app '${part.resource}' a forward: { ${port}: ... }.`)
        })
      }
    }
  }
  return env
}
