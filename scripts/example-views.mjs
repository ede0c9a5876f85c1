// A project that never was, in a state that shows something in every view of the page: for its pictures.

/** Milliseconds since 1970: what "now" is in the pictures. */
export const exampleNow = Date.now()

const ago = (seconds) => exampleNow - seconds * 1000

const resource = (name, order, more) => ({
  kind: 'resource',
  name,
  type: 'app',
  order,
  status: 'ready',
  ready: true,
  warnings: [],
  images: [],
  needs: [],
  rebuildAfter: [],
  labels: [],
  auto: true,
  trigger: 'auto',
  endpoints: [],
  pods: [],
  since: ago(640),
  ...more,
})

const pod = (name, container, image, target, more = {}) => ({
  name,
  phase: 'running',
  current: true,
  ready: true,
  restarts: 0,
  containers: [
    { name: 'devloop-agent', kind: 'init', state: 'ended', exitCode: 0, restarts: 0 },
    { name: container, kind: 'main', state: 'running', restarts: 0 },
  ],
  targets: image
    ? [{ container, image, state: 'in-sync', behind: 0, transport: 'agent: an init container of the pod brought it', ...target }]
    : [],
  ...more,
})

const http = (port) => ({ name: 'http', url: `http://localhost:${port}`, state: 'listening' })

const live = (id, seconds, liveMs) => ({ id, at: ago(seconds), outcome: 'live', liveMs })

const resources = [
  resource('db', 0, {
    labels: ['backend'],
    endpoints: [{ name: '5432', url: 'tcp://localhost:5432', state: 'listening' }],
    pods: [pod('db-0', 'db')],
    since: ago(5_400),
  }),
  resource('cache', 1, { labels: ['backend'], pods: [pod('cache-6f9c4d7b5-x2x8m', 'cache')], since: ago(5_390) }),
  resource('migrations', 2, { type: 'local', labels: ['backend'], needs: ['db'], lastChange: live('c31', 1_900, 812) }),
  resource('api', 3, {
    labels: ['backend'],
    images: ['shop/api'],
    needs: ['db', 'cache'],
    rebuildAfter: ['codegen'],
    endpoints: [http(8080)],
    pods: [
      pod('api-7c9d58f6b4-lq2vz', 'api', 'shop/api'),
      pod('api-7c9d58f6b4-w8k5n', 'api', 'shop/api', { state: 'syncing', behind: 1 }),
    ],
    links: [
      { to: 'db', address: 'db:5432', state: 'ok' },
      { to: 'cache', address: 'cache:6379', state: 'ok' },
    ],
    lastChange: live('c42', 48, 24),
    debug: { language: 'node', host: 'localhost', port: 9229, process: 'api-7c9d58f6b4-lq2vz:0.3' },
  }),
  resource('worker', 4, {
    labels: ['backend'],
    images: ['shop/worker'],
    needs: ['db', 'api'],
    status: 'failed',
    ready: false,
    error: {
      code: 'build/step',
      message: 'a step of the build of shop/worker failed: RUN npm run build',
      where: { file: '/home/ann/shop/services/worker/Dockerfile', line: 6 },
      why: "src/queue.ts:41:18 - error TS2551: Property 'enqueu' does not exist on type 'Queue'. Did you mean 'enqueue'?\n\n41     await queue.enqueu(order)\n                    ~~~~~~\nFound 1 error in src/queue.ts:41",
      help: 'Mend the step or what it reads; the next save builds again.',
    },
    pods: [pod('worker-5d8f7c6d9-7h4tk', 'worker', 'shop/worker', { state: 'behind', behind: 3 })],
    lastChange: { id: 'c43', at: ago(21), outcome: 'failed' },
    since: ago(15),
  }),
  resource('web', 5, {
    labels: ['frontend'],
    images: ['shop/web'],
    needs: ['api'],
    status: 'updating',
    ready: false,
    activity: 'building shop/web [4/6] RUN npm ci',
    endpoints: [http(8090)],
    pods: [pod('web-75b9f5cfd-zx9rp', 'web', 'shop/web')],
    lastChange: { id: 'c44', at: ago(6), outcome: 'pending' },
    since: ago(6),
  }),
  resource('storybook', 6, {
    type: 'local',
    labels: ['frontend'],
    auto: false,
    status: 'pending',
    ready: false,
    hold: { code: 'auto', message: 'starts when it is triggered' },
  }),
  resource('codegen', 7, { type: 'local', labels: ['tools'], lastChange: live('c31', 1_900, 940) }),
  resource('e2e', 8, {
    type: 'local',
    labels: ['tools'],
    needs: ['web'],
    trigger: 'manual',
    pending: { paths: ['e2e/checkout.spec.ts'], pathCount: 1, reasons: ['codegen has run'] },
    hold: { code: 'pending', message: 'changes wait for a trigger' },
  }),
  resource('mailhog', 9, { labels: ['tools'], status: 'disabled', ready: false, disabled: 'request' }),
]

const done = (name, ms) => ({ name, state: 'done', startedAt: ago(60), ms })
const cached = (name) => ({ name, state: 'cached' })

const images = [
  {
    kind: 'image',
    name: 'shop/base',
    state: 'built',
    builtAt: ago(5_300),
    steps: [],
    files: 6,
    overlay: 0,
  },
  {
    kind: 'image',
    name: 'shop/api',
    state: 'built',
    builtAt: ago(1_700),
    reason: 'package.json is covered by no rule',
    steps: [
      cached('[1/5] FROM shop/base'),
      cached('[2/5] WORKDIR /app'),
      done('[3/5] COPY package*.json ./', 41),
      done('[4/5] RUN npm ci', 1_140),
      done('[5/5] COPY . .', 38),
    ],
    context: { files: 214, sentFiles: 2, sentBytes: 18_400 },
    bases: ['shop/base'],
    files: 214,
    overlay: 3,
    buildMs: 1_620,
  },
  {
    kind: 'image',
    name: 'shop/web',
    state: 'building',
    reason: 'package-lock.json has a rebuildOn rule',
    stage: 'build',
    steps: [
      cached('[1/6] FROM shop/base'),
      cached('[2/6] WORKDIR /app'),
      done('[3/6] COPY package*.json ./', 38),
      { name: '[4/6] RUN npm ci', state: 'running', startedAt: ago(4.2), tail: ['added 412 packages in 3s'] },
    ],
    bases: ['shop/base'],
    files: 391,
    overlay: 0,
  },
  {
    kind: 'image',
    name: 'shop/worker',
    state: 'failed',
    reason: 'tsconfig.json is covered by no rule',
    steps: [
      cached('[1/6] FROM shop/base'),
      done('[5/6] COPY . .', 44),
      { name: '[6/6] RUN npm run build', state: 'failed', ms: 2_310, tail: ['Found 1 error in src/queue.ts:41'] },
    ],
    bases: ['shop/base'],
    files: 120,
    overlay: 0,
    buildMs: 2_460,
  },
]

let nextChange = 12
function change(seconds, path, resources, image, stages, more = {}) {
  const list = stages.map(([stage, ms, detail]) => ({ stage, ms, ...(detail ? { detail } : {}) }))
  const last = list.at(-1)
  const isLive = last?.stage === 'live'
  return {
    kind: 'change',
    name: `c${nextChange++}`,
    at: ago(seconds),
    paths: [path],
    pathCount: 1,
    outcome: isLive ? 'live' : 'pending',
    images: [image],
    resources,
    stages: list,
    ...(isLive ? { liveMs: last.ms } : {}),
    ...more,
  }
}

const synced = (image, name = 'src') => ({ image, action: 'sync', why: `sync('${name}', '/app/${name}')` })
const rebuilt = (image, why) => ({ image, action: 'rebuild', why })

/** Such as an afternoon brings. */
const earlier = [31, 22, 27, 19, 44, 25, 1_840, 23, 29, 33, 61, 24, 20, 2_210, 26, 35, 22, 28, 47, 25].map((ms, i) =>
  ms > 1000
    ? change(4_000 - i * 110, 'services/api/package.json', ['api'], rebuilt('shop/api', 'covered by no rule'), [
        ['seen', 4],
        ['built', Math.round(ms * 0.74)],
        ['applied', Math.round(ms * 0.79)],
        ['live', ms],
      ])
    : change(4_000 - i * 110, `services/api/src/routes/${['orders', 'cart', 'users'][i % 3]}.ts`, ['api'], synced('shop/api'), [
        ['gathered', 2],
        ['seen', 4],
        ['sent', 5],
        ['written', Math.round(ms * 0.4)],
        ['restarted', Math.round(ms * 0.6)],
        ['answered', ms],
        ['live', ms],
      ]),
)

const changes = [
  ...earlier,
  change(410, 'services/web/public/style.css', ['web'], synced('shop/web', 'public'), [
    ['gathered', 2],
    ['seen', 3],
    ['sent', 4],
    ['written', 11],
    ['live', 11],
  ]),
  change(
    130,
    'services/api/package-lock.json',
    ['api'],
    { image: 'shop/api', action: 'sync', why: "sync('package-lock.json', '/app/package-lock.json')" },
    [
      ['gathered', 2],
      ['seen', 5],
      ['sent', 7],
      ['written', 15],
      ['ran', 1_290, 'npm ci'],
      ['restarted', 1_302],
      ['answered', 1_420],
      ['live', 1_420],
    ],
  ),
  change(48, 'services/api/src/routes/orders.ts', ['api'], synced('shop/api'), [
    ['gathered', 2],
    ['seen', 3],
    ['sent', 5],
    ['written', 9],
    ['restarted', 14],
    ['answered', 24],
    ['live', 24],
  ]),
  change(
    21,
    'services/worker/tsconfig.json',
    ['worker'],
    rebuilt('shop/worker', 'covered by no rule'),
    [
      ['gathered', 2],
      ['seen', 4],
    ],
    { outcome: 'failed' },
  ),
  change(6, 'services/web/package-lock.json', ['web'], rebuilt('shop/web', "rebuildOn('package-lock.json')"), [
    ['gathered', 2],
    ['seen', 4],
  ]),
]

const session = {
  kind: 'session',
  name: 'session',
  project: 'shop',
  instance: 'i4f1c9a7b20',
  version: '0.1.0',
  pid: 41_873,
  startedAt: ago(5_460),
  phase: 'running',
  args: ['--profile', 'full'],
  only: [],
  runtime: { kind: 'kubernetes', state: 'connected', context: 'kind-dev', namespace: 'dev-ann' },
  devloopfile: { file: '/home/ann/shop/Devloopfile.ts', state: 'ok', generation: 4, loadMs: 38 },
  today: { synced: { count: 118, p50: 26, p95: 61 }, rebuilt: { count: 9, p50: 1_840, p95: 2_210 } },
  problems: [],
  warnings: [
    {
      code: 'cluster/rights',
      message: 'events of the namespace dev-ann may not be read',
      why: 'watch events: forbidden',
      help: 'Without them, why a pod does not start is told later. An administrator gives the right with `devloop provision`.',
    },
  ],
  ready: false,
}

export const exampleViews = [session, ...resources, ...images, ...changes]

/** Oldest first, without cursors. */
export function exampleLogs() {
  const lines = []
  const say = (resourceName, source, text, level = 'info', container) =>
    lines.push({
      at: exampleNow - 90_000 + lines.length * 1_100,
      resource: resourceName,
      source,
      level,
      text,
      ...(container ? { container } : {}),
    })
  const api = (text) => say('api', 'api-7c9d58f6b4-lq2vz/api', text, 'info', 'api')
  const esc = '\u001b['
  for (let i = 0; i < 24; i++) {
    api(`${esc}2m${esc}36mGET${esc}0m /orders/${1_200 + i} ${esc}32m200${esc}0m ${(3 + ((i * 7) % 11)).toFixed(0)} ms`)
    if (i % 3 === 0)
      say(
        'web',
        'web-75b9f5cfd-zx9rp/web',
        JSON.stringify({ level: 'info', msg: 'rendered', route: '/cart', ms: 12 + i }),
        'info',
        'web',
      )
    if (i % 6 === 4) say('db', 'db-0/db', `LOG:  checkpoint complete: wrote ${40 + i} buffers (0.3%)`, 'info', 'db')
    if (i === 9) {
      api(`${esc}2m${esc}36mPOST${esc}0m /orders ${esc}33m422${esc}0m 9 ms  ${esc}33mno such item: 88${esc}0m`)
      say('web', 'web-75b9f5cfd-zx9rp/web', JSON.stringify({ level: 'warn', msg: 'order refused', item: 88 }), 'info', 'web')
    }
    if (i === 14) {
      say('api', 'sync', '/app/src/routes/orders.ts in api-7c9d58f6b4-lq2vz (9 ms)')
      api('api listens on 8080')
    }
    if (i === 18) {
      say('worker', 'build', "src/queue.ts:41:18 - error TS2551: Property 'enqueu' does not exist on type 'Queue'.", 'error')
      say('worker', 'build', 'Found 1 error in src/queue.ts:41', 'error')
    }
  }
  say('', 'daemon', 'the Devloopfile was loaded again in 38 ms')
  return lines
}
