// The protocol as zod schemas: what docs/protocol.schema.json is made from, and what tests hold messages against.
// Not part of `devloop/protocol`, so that clients need no zod. Unknown fields are allowed everywhere, for later minors.
import { z } from 'zod'
import { maxLogText } from './discovery.js'
import { count, errorInfo, list, time, version } from './schema-parts.js'
import { requestParamsSchemas, requestResultsSchemas } from './schema-requests.js'

// ---- client to daemon

const access = z.enum(['control', 'read']).meta({ id: 'Access' })

const stateSelection = z
  .looseObject({ kinds: list(z.string()).exactOptional(), resources: list(z.string()).exactOptional() })
  .meta({ id: 'StateSelection' })

const patterns = z.array(z.string().max(maxLogText)).max(100).readonly()

const logSelection = z
  .looseObject({
    resources: list(z.string()).exactOptional(),
    after: count.exactOptional(),
    tail: count.exactOptional(),
    since: time.exactOptional(),
    level: z.enum(['info', 'warn', 'error']).exactOptional(),
    text: z.string().max(maxLogText).exactOptional(),
    sources: patterns.exactOptional(),
    containers: patterns.exactOptional(),
  })
  .meta({ id: 'LogSelection' })

const hello = z
  .looseObject({
    type: z.literal('hello'),
    protocol: version,
    client: z.string(),
    topics: list(z.string()).describe('Of `state`, `logs`; others are ignored'),
    state: stateSelection.exactOptional(),
    resume: z.looseObject({ epoch: z.string(), seq: count.exactOptional() }).exactOptional(),
    logs: logSelection.exactOptional(),
    access: z.literal('read').exactOptional(),
  })
  .meta({ id: 'HelloMessage' })

const requestId = z.union([z.number(), z.string()])
const state = z.looseObject({ type: z.literal('state'), state: stateSelection.nullable() }).meta({ id: 'SelectStateMessage' })
const logs = z
  .looseObject({ type: z.literal('logs'), id: count.exactOptional(), logs: logSelection.nullable() })
  .meta({ id: 'SubscribeLogsMessage' })
const cancel = z.looseObject({ type: z.literal('cancel'), id: requestId }).meta({ id: 'CancelMessage' })
const pong = z.looseObject({ type: z.literal('pong') }).meta({ id: 'PongMessage' })
const request = z
  .looseObject({
    jsonrpc: z.literal('2.0'),
    id: requestId,
    method: z.string(),
    params: z.unknown().exactOptional(),
    progress: z.boolean().exactOptional(),
  })
  .meta({ id: 'RequestMessage' })

/** Any message of a client. */
export const clientMessageSchema = z.union([hello, state, logs, cancel, pong, request]).meta({ id: 'ClientMessage' })

// ---- views

const latency = z.looseObject({ count, p50: z.number(), p95: z.number() })

const session = z
  .looseObject({
    kind: z.literal('session'),
    name: z.literal('session'),
    project: z.string(),
    instance: z.string(),
    version: z.string(),
    pid: count,
    startedAt: time,
    phase: z.enum(['starting', 'running', 'stopping']),
    args: list(z.string()),
    only: list(z.string()),
    choices: z
      .record(z.string(), z.enum(['local', 'remote']))
      .readonly()
      .exactOptional(),
    runtime: z.looseObject({
      kind: z.enum(['kubernetes', 'process']),
      state: z.enum(['connecting', 'connected', 'lost']),
      context: z.string().exactOptional(),
      namespace: z.string().exactOptional(),
      error: errorInfo.exactOptional(),
    }),
    devloopfile: z.looseObject({
      file: z.string(),
      state: z.enum(['loading', 'ok', 'failed']),
      generation: count,
      loadMs: z.number().exactOptional(),
      error: errorInfo.exactOptional(),
    }),
    today: z.looseObject({ synced: latency.exactOptional(), rebuilt: latency.exactOptional() }).exactOptional(),
    problems: list(errorInfo),
    warnings: list(errorInfo).exactOptional(),
    ready: z.boolean(),
  })
  .meta({ id: 'SessionView' })

const outcome = z.enum(['pending', 'live', 'failed', 'superseded', 'nothing'])

const target = z.looseObject({
  container: z.string(),
  image: z.string(),
  state: z.enum(['connecting', 'unknown', 'in-sync', 'syncing', 'behind', 'failed']),
  behind: count,
  transport: z.string().exactOptional(),
  returns: z
    .looseObject({
      how: z.string(),
      conflicts: z.looseObject({ count, first: list(z.looseObject({ path: z.string(), message: z.string() })) }).exactOptional(),
      error: errorInfo.exactOptional(),
    })
    .exactOptional(),
  error: errorInfo.exactOptional(),
})

const pod = z.looseObject({
  name: z.string(),
  phase: z.enum(['pending', 'running', 'succeeded', 'failed', 'terminating']),
  current: z.boolean(),
  ready: z.boolean(),
  restarts: count,
  containers: list(
    z.looseObject({
      name: z.string(),
      kind: z.enum(['main', 'init', 'sidecar']),
      state: z.enum(['waiting', 'running', 'ended']),
      exitCode: z.int().exactOptional(),
      restarts: count,
      error: errorInfo.exactOptional(),
    }),
  ),
  targets: list(target),
})

const resource = z
  .looseObject({
    kind: z.literal('resource'),
    name: z.string(),
    type: z.enum(['app', 'config', 'manifests', 'kustomize', 'helm', 'custom', 'attach', 'local']),
    order: count,
    status: z.enum(['pending', 'updating', 'starting', 'ready', 'failed', 'removing', 'disabled']),
    ready: z.boolean(),
    activity: z.string().exactOptional(),
    hold: z
      .looseObject({
        code: z.enum([
          'reloading',
          'runtime',
          'needs',
          'image',
          'render',
          'failed',
          'sources',
          'slot',
          'unsupported',
          'stopping',
          'disabled',
          'auto',
          'pending',
          'after',
          'removing',
          'starting',
          'asleep',
          'sync',
        ]),
        message: z.string(),
      })
      .exactOptional(),
    error: errorInfo.exactOptional(),
    warnings: list(errorInfo),
    images: list(z.string()),
    needs: list(z.string()),
    rebuildAfter: list(z.string()),
    labels: list(z.string()),
    auto: z.boolean(),
    trigger: z.enum(['auto', 'manual']),
    disabled: z.enum(['request', 'plan', 'watch']).exactOptional(),
    pending: z.looseObject({ paths: list(z.string()), pathCount: count, reasons: list(z.string()) }).exactOptional(),
    endpoints: list(
      z.looseObject({
        name: z.string(),
        url: z.string(),
        state: z.enum(['listening', 'waiting', 'failed']),
        error: errorInfo.exactOptional(),
      }),
    ),
    links: list(
      z.looseObject({
        to: z.string(),
        address: z.string().describe('`host:port`, as the consumer sees it'),
        state: z.enum(['ok', 'failed', 'unknown']),
        why: z.string().exactOptional(),
      }),
    ).exactOptional(),
    debug: z
      .looseObject({
        language: z.enum(['node', 'python', 'go', 'java']),
        host: z.string(),
        port: count,
        process: z.string().exactOptional().describe('Another one whenever the process was replaced'),
      })
      .exactOptional(),
    pods: list(pod),
    lastChange: z.looseObject({ id: z.string(), at: time, outcome, liveMs: z.number().exactOptional() }).exactOptional(),
    since: time,
  })
  .meta({ id: 'ResourceView' })

const image = z
  .looseObject({
    kind: z.literal('image'),
    name: z.string(),
    state: z.enum(['unknown', 'pending', 'building', 'built', 'failed']),
    ref: z.string().exactOptional(),
    builtAt: time.exactOptional(),
    reason: z.string().exactOptional(),
    stage: z.enum(['context', 'build', 'push']).exactOptional(),
    steps: list(
      z.looseObject({
        name: z.string(),
        state: z.enum(['running', 'done', 'cached', 'failed']),
        startedAt: time.exactOptional(),
        ms: z.number().exactOptional(),
        tail: list(z.string()).exactOptional(),
      }),
    ),
    bases: list(z.string()).exactOptional(),
    context: z.looseObject({ files: count, sentFiles: count, sentBytes: count }).exactOptional(),
    files: count,
    overlay: count,
    buildMs: z.number().exactOptional(),
    error: errorInfo.exactOptional(),
  })
  .meta({ id: 'ImageView' })

const change = z
  .looseObject({
    kind: z.literal('change'),
    name: z.string(),
    at: time,
    paths: list(z.string()),
    pathCount: count,
    outcome,
    images: list(z.looseObject({ image: z.string(), action: z.enum(['sync', 'rebuild', 'none']), why: z.string() })),
    resources: list(z.string()),
    cameFrom: list(z.string()).exactOptional(),
    stages: list(z.looseObject({ stage: z.string(), ms: z.number(), detail: z.string().exactOptional() })),
    liveMs: z.number().exactOptional(),
  })
  .meta({ id: 'ChangeView' })

/** Any view of this version. */
export const viewSchema = z.discriminatedUnion('kind', [session, resource, image, change]).meta({ id: 'View' })
const viewKey = z
  .looseObject({ kind: z.enum(['session', 'resource', 'image', 'change']), name: z.string() })
  .meta({ id: 'ViewKey' })

// ---- daemon to client

const changes = { upserts: list(viewSchema), removes: list(viewKey) }

const welcome = z
  .looseObject({
    type: z.literal('welcome'),
    protocol: version,
    version: z.string(),
    epoch: z.string(),
    seq: count,
    access,
    methods: list(z.string()),
    snapshot: list(viewSchema).exactOptional(),
    deltas: z.looseObject(changes).exactOptional(),
  })
  .meta({ id: 'WelcomeMessage' })

const delta = z.looseObject({ type: z.literal('delta'), seq: count, ...changes }).meta({ id: 'DeltaMessage' })

const snapshot = z
  .looseObject({ type: z.literal('snapshot'), seq: count, views: list(viewSchema) })
  .meta({ id: 'SnapshotMessage' })

const logEntry = z
  .looseObject({
    cursor: count,
    at: time,
    resource: z.string(),
    source: z.string(),
    container: z.string().exactOptional(),
    level: z.enum(['info', 'warn', 'error']),
    text: z.string(),
  })
  .meta({ id: 'LogEntry' })

const log = z
  .looseObject({
    type: z.literal('log'),
    id: count,
    lines: list(logEntry),
    cursor: count,
    dropped: count,
    caughtUp: z.boolean(),
  })
  .meta({ id: 'LogMessage' })

const progress = z
  .looseObject({
    type: z.literal('progress'),
    id: requestId,
    message: z.string(),
    done: count.exactOptional(),
    total: count.exactOptional(),
  })
  .meta({ id: 'ProgressMessage' })

const reply = z
  .union([
    z.looseObject({ jsonrpc: z.literal('2.0'), id: requestId, result: z.unknown() }),
    z.looseObject({
      jsonrpc: z.literal('2.0'),
      id: z.union([z.number(), z.string(), z.null()]),
      error: z.looseObject({ code: z.int(), message: z.string(), data: errorInfo.exactOptional() }),
    }),
  ])
  .meta({ id: 'ReplyMessage' })

const error = z.looseObject({ type: z.literal('error'), error: errorInfo }).meta({ id: 'ErrorMessage' })
const ping = z.looseObject({ type: z.literal('ping'), seq: count }).meta({ id: 'PingMessage' })
const goodbye = z.looseObject({ type: z.literal('goodbye'), reason: z.string() }).meta({ id: 'GoodbyeMessage' })

/** Any message of the daemon. */
export const daemonMessageSchema = z
  .union([welcome, delta, snapshot, log, progress, reply, error, ping, goodbye])
  .meta({ id: 'DaemonMessage' })

/** The discovery file. */
export const discoverySchema = z
  .looseObject({
    pid: count,
    project: z.string(),
    devloopfile: z.string(),
    startedAt: time,
    version: z.string(),
    protocol: version,
    epoch: z.string(),
    socket: z.string(),
    url: z.string().exactOptional(),
    token: z.string(),
    readToken: z.string(),
  })
  .meta({ id: 'Discovery' })

/** The JSON Schema (draft 2020-12) of the protocol: its types under `$defs`. */
export function protocolJsonSchema(): object {
  const { $defs } = z.toJSONSchema(
    z.object({
      client: clientMessageSchema,
      daemon: daemonMessageSchema,
      discovery: discoverySchema,
      params: z.looseObject(requestParamsSchemas).meta({ id: 'RequestParams' }),
      results: z.looseObject(requestResultsSchemas).meta({ id: 'RequestResults' }),
    }),
  )
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'devloop status protocol',
    description:
      'A client sends ClientMessage, the daemon DaemonMessage, one JSON message a text frame. RequestParams and RequestResults have a property for each method. See protocol.md.',
    $defs,
  }
}
