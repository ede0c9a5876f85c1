// What is made of views: pure functions, with what a cluster shows and what somebody else may have written.
import { describe, expect, test } from 'vitest'
import type { View } from 'devloop/client'
import { asMap, buildError, change, endpoint, line, resource, session } from '../../../test/unit/cli/views.js'
import { attachConfiguration } from '../src/attach-configuration.js'
import { logText } from '../src/log-text.js'
import { byFile, lastRun, placedProblems, spokenErrors } from '../src/problems.js'
import { statusText } from '../src/status-text.js'
import { resourceNodes, type TreeNode } from '../src/tree-nodes.js'
import { whyItems } from '../src/why-items.js'

const up = { running: true, error: undefined }
const nasty = 'evil\u001b[2J\u202e $(trash)\u0007'

describe('the status bar', () => {
  const text = (views: readonly View[]): string => statusText(asMap(...views), up, undefined).text
  test.each([
    [
      'building',
      [session(), resource('api', { status: 'updating', activity: 'building shop/api [2/4] RUN npm ci' })],
      '$(sync~spin) building shop/api [2/4] RUN npm ci',
    ],
    ['failed', [session(), resource('api', { status: 'failed', error: buildError })], '$(error) failed: api'],
    ['live', [session({ ready: true }), resource('api'), change('c1', { outcome: 'live', liveMs: 24 })], '$(zap) live in 24 ms'],
    ['syncing', [session({ ready: true }), resource('api'), change('c1')], '$(sync~spin) syncing'],
    ['ready', [session({ ready: true }), resource('api')], '$(pass) devloop'],
    ['no session yet', [], '$(debug-disconnect) devloop'],
  ] as const)('%s', (_, views, expected) => {
    expect(text(views)).toBe(expected)
  })

  test('a long step is cut, and the whole is told on hovering', () => {
    const activity = `building shop/api [2/4] RUN ${'x'.repeat(100)}`
    const shown = statusText(asMap(session(), resource('api', { status: 'updating', activity })), up, 'shop')
    expect(shown.text).toHaveLength('$(sync~spin) shop: '.length + 48)
    expect(shown.tooltip).toContain(activity)
  })

  test('text from elsewhere draws no icon and controls nothing', () => {
    const shown = statusText(
      asMap(session({ project: nasty }), resource('api', { status: 'updating', activity: nasty })),
      up,
      nasty,
    )
    expect(shown.text).toBe('$(sync~spin) evil \\$(trash): evil \\$(trash)')
    // oxlint-disable-next-line no-control-regex
    expect(shown.tooltip.join('\n')).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/)
  })

  test('another version of the protocol is told as it is', () => {
    const error = { code: 'protocol/version', message: 'The daemon speaks protocol 2.', help: 'Update the extension.' } as const
    expect(statusText(asMap(), { running: false, error }, undefined).tooltip).toEqual([error.message, error.help])
  })
})

describe('the tree', () => {
  const lines = (nodes: readonly TreeNode[], depth = 0): string[] =>
    nodes.flatMap((one) => [
      `${'  '.repeat(depth)}[${one.icon}] ${[one.label, one.description].filter(Boolean).join(': ')}`,
      ...lines(one.children, depth + 1),
    ])

  test('what failed comes first, with where, pods, targets and steps', () => {
    const views = asMap(
      session(),
      resource('web', {
        endpoints: [endpoint(8090), { ...endpoint(0), name: 'db', url: 'postgres://localhost:5432', state: 'waiting' }],
        debug: { language: 'node', host: 'localhost', port: 9229, process: 'a' },
        pods: [
          {
            name: 'web-1',
            phase: 'running',
            current: true,
            ready: true,
            restarts: 2,
            containers: [
              { name: 'init', kind: 'init', state: 'ended', exitCode: 0, restarts: 0 },
              { name: 'web', kind: 'main', state: 'running', restarts: 2 },
            ],
            targets: [{ container: 'web', image: 'shop/web', state: 'behind', behind: 3, transport: 'the agent' }],
          },
        ],
      }),
      resource('api', { status: 'failed', error: buildError, images: ['shop/api'] }),
      resource('db', { status: 'pending', hold: { code: 'needs', message: 'waits for api' } }),
      {
        kind: 'image',
        name: 'shop/api',
        state: 'failed',
        files: 3,
        overlay: 0,
        buildMs: 1600,
        steps: [
          { name: 'FROM node', state: 'cached' },
          { name: 'RUN npm ci', state: 'failed', ms: 1500, tail: ['npm error'] },
        ],
      },
    )
    const nodes = resourceNodes('/p/Devloopfile.ts', views)
    expect(lines(nodes)).toMatchInlineSnapshot(`
      [
        "[error] api: failed",
        "  [error] shop/api could not be built: RUN npm ci failed with exit code 1: build/failed",
        "  [package] shop/api: failed after 1.6 s, 1 of 2 steps cached",
        "    [pass] FROM node: cached",
        "    [error] RUN npm ci: 1.5 s",
        "[pass-filled] web: ready",
        "  [link-external] http://localhost:8090: http",
        "  [link-external] postgres://localhost:5432: db, waiting",
        "  [debug-alt] debugger at localhost:9229: node",
        "  [server-process] web-1: running, ready, 2 restarts",
        "    [symbol-object] init: init, ended with 0",
        "    [symbol-object] web: running, 3 behind",
        "[circle-outline] db: pending · waits for api",
        "  [watch] waits for api",
      ]
    `)
    expect(nodes.map(({ context }) => context)).toEqual([
      'resource enabled',
      'resource enabled restartable reachable debuggable',
      'resource enabled',
    ])
    expect(nodes[0]?.children[0]?.opens).toEqual({ kind: 'file', file: '/p/services/api/Dockerfile', line: 7 })
    expect(nodes[1]?.children.map(({ opens }) => opens)).toEqual([
      { kind: 'url', url: 'http://localhost:8090' },
      ...Array(3).fill(undefined),
    ])
  })

  test('text from elsewhere stays text in one line', () => {
    const views = asMap(
      session(),
      resource('api', {
        status: 'failed',
        error: { ...buildError, message: `${nasty}\nsecond` },
        warnings: [{ ...buildError, message: nasty }],
      }),
    )
    const shown = JSON.stringify(resourceNodes('/p', views), (key, value: unknown) => (key === 'id' ? undefined : value))
    expect(shown.replaceAll('\\n', '')).not.toMatch(/\\u00|\u202e/)
  })
})

describe('problems', () => {
  test('each error once with those it concerns, and warnings', () => {
    const warning = {
      code: 'build/dockerfile',
      message: 'careful',
      where: { file: '/p/Devloopfile.ts', line: 3, column: 5 },
      help: 'Do.',
    } as const
    const views = asMap(
      session({
        devloopfile: {
          file: '/p/Devloopfile.ts',
          state: 'failed',
          generation: 1,
          error: {
            code: 'devloopfile/syntax',
            message: 'Expected ";"',
            where: { file: '/p/Devloopfile.ts', line: 3, column: 7 },
            help: 'Correct it.',
          },
        },
      }),
      resource('api', { status: 'failed', error: buildError }),
      resource('web', { status: 'failed', error: buildError, warnings: [warning] }),
      resource('db', { status: 'failed', error: { code: 'pod/crashed', message: 'at no place', help: 'Read its log.' } }),
    )
    expect(
      [...byFile(placedProblems(views))].map(([file, list]) => [
        file,
        list.map(({ line: at, subjects, severity }) => `${at} ${severity} ${subjects.join()}`),
      ]),
    ).toEqual([
      ['/p/Devloopfile.ts', ['3 error Devloopfile', '3 warning web']],
      ['/p/services/api/Dockerfile', ['7 error api,web']],
    ])
    expect(spokenErrors(views)).toMatchObject([
      { subjects: ['api', 'web'], words: ['npm error code ENOENT', 'npm error path /app/package.json', 'npm error errno -2'] },
    ])
  })

  test('of a local, what it wrote in its last run', () => {
    const local = { source: 'local' }
    const entries = [
      line('a', 'running make', local),
      line('a', 'old.c:1:1: error: x', { source: 'run' }),
      line('a', 'failed', { ...local, level: 'error' }),
      line('a', 'running make', local),
      line('a', 'new.c:1:1: error: x', { source: 'run' }),
      line('a', 'failed', { ...local, level: 'error' }),
    ]
    expect(lastRun(entries)).toEqual(['new.c:1:1: error: x'])
    expect(lastRun(entries.slice(4))).toEqual(['new.c:1:1: error: x'])
  })
})

describe('other texts', () => {
  test('a line of log', () => {
    const at = new Date(2026, 0, 1, 10, 2, 11, 120).getTime()
    expect(logText(line('api', '\u001b[31mbad\u001b[0m', { at, level: 'warn' }))).toBe('10:02:11.120 [warn] api │ bad')
  })

  test('why, with the place of the rule', () => {
    const rule = {
      subject: 'image shop/api',
      action: 'sync',
      rule: 'sync("a", "b") $(x)',
      at: '/p/D:file.ts:12',
      effects: ['written', 'restarted'],
    } as const
    expect(whyItems({ path: '/p/a', answers: [rule] })).toEqual([
      {
        label: '$(zap) image shop/api: sync',
        description: 'by sync("a", "b") \\$(x)',
        detail: 'written · restarted',
        at: { file: '/p/D:file.ts', line: 12 },
      },
    ])
  })

  test('a debugger: the configuration of the project for the port, else one for the language', () => {
    const debug = { language: 'python', host: 'localhost', port: 5678 } as const
    const mine = { name: 'mine', type: 'debugpy', request: 'attach', connect: { port: 5678 }, pathMappings: [] }
    expect(attachConfiguration('api', debug, [null, { port: 5678 }, { ...mine, connect: { port: 1 } }, mine])).toBe(mine)
    expect(attachConfiguration('api', debug, [])).toMatchObject({ type: 'debugpy', connect: { host: 'localhost', port: 5678 } })
    const types = (['node', 'go', 'java'] as const).map((language) => attachConfiguration('api', { ...debug, language }, []).type)
    expect(types).toEqual(['node', 'go', 'java'])
  })
})
