// The requests as schemas: parameters and results by method.
import { z } from 'zod'
import { count, errorInfo, list } from './schema-parts.js'

const ways = z.record(z.string(), z.enum(['local', 'remote'])).readonly()

/** Parameters of each request. */
export const requestParamsSchemas = {
  trigger: z.looseObject({
    resource: z.string().min(1),
    confirmEmpty: z.boolean().exactOptional(),
    wait: z.boolean().exactOptional(),
  }),
  enable: z.looseObject({ resources: list(z.string().min(1)) }),
  disable: z.looseObject({ resources: list(z.string().min(1)) }),
  args: z.looseObject({
    args: list(z.string()).exactOptional(),
    choices: ways.exactOptional(),
  }),
  reload: z.looseObject({}),
  restart: z.looseObject({ resource: z.string().min(1) }),
  shutdown: z.looseObject({
    down: z.boolean().exactOptional(),
    deleteGenerated: z.boolean().exactOptional(),
    deleteNamespace: z.boolean().exactOptional(),
    wait: z.boolean().exactOptional(),
  }),
  exec: z.looseObject({ resource: z.string().min(1), container: z.string().min(1).exactOptional() }),
  verify: z.looseObject({ resource: z.string().min(1).exactOptional() }),
  dump: z.looseObject({}),
  prune: z.looseObject({ dryRun: z.boolean().exactOptional() }),
  why: z.looseObject({ path: z.string().regex(/^\/[^\0]*$/) }),
}

const accepted = z.literal(true)
const names = list(z.string())

/** Result of each request. */
export const requestResultsSchemas = {
  trigger: z.looseObject({
    accepted,
    resources: names,
    outcomes: list(z.looseObject({ resource: z.string(), ready: z.boolean(), error: errorInfo.exactOptional() })).exactOptional(),
  }),
  enable: z.looseObject({ accepted, resources: names, needs: names }),
  disable: z.looseObject({ accepted, resources: names, neededBy: names }),
  args: z.looseObject({ args: names, choices: ways }),
  reload: z.looseObject({ accepted }),
  restart: z.looseObject({ accepted }),
  shutdown: z.looseObject({ accepted, removed: z.boolean().exactOptional() }),
  exec: z.discriminatedUnion('runtime', [
    z.looseObject({
      runtime: z.literal('kubernetes'),
      context: z.string(),
      server: z.string(),
      contexts: names,
      namespace: z.string(),
      pod: z.string(),
      container: z.string(),
    }),
    z.looseObject({ runtime: z.literal('process'), cwd: z.string(), env: z.record(z.string(), z.string()).readonly() }),
  ]),
  verify: z.looseObject({
    targets: list(
      z.looseObject({
        resource: z.string(),
        pod: z.string(),
        container: z.string(),
        image: z.string(),
        checked: count,
        differences: list(z.looseObject({ path: z.string(), wanted: z.string(), found: z.string() })),
        differing: count,
        unknown: count,
        held: z.boolean(),
        error: errorInfo.exactOptional(),
      }),
    ),
  }),
  prune: z.looseObject({
    removed: list(
      z.looseObject({ from: z.enum(['engine', 'registry', 'cache', 'state']), name: z.string(), bytes: count.exactOptional() }),
    ),
    kept: count,
    problems: list(errorInfo),
    interrupted: z.boolean(),
  }),
  dump: z.looseObject({
    state: z.looseObject({}),
    plan: z.looseObject({}).nullable(),
    work: z.looseObject({}),
    actions: list(z.looseObject({})),
    process: z.looseObject({}),
  }),
  why: z.looseObject({
    path: z.string(),
    answers: list(
      z.looseObject({
        subject: z.string(),
        action: z.enum(['sync', 'rebuild', 'ignore', 'run', 'reload']),
        rule: z.string(),
        at: z.string().exactOptional(),
        effects: names,
      }),
    ),
  }),
}
