// From what the engine reports to steps, log lines and errors that name the Dockerfile line.
import { expect, test } from 'vitest'
import { buildError } from '../../../../src/adapters/docker/build-errors.js'
import { createBuildkitSteps } from '../../../../src/adapters/docker/buildkit-steps.js'
import { createClassicSteps } from '../../../../src/adapters/docker/classic-steps.js'
import { createMask } from '../../../../src/adapters/docker/mask.js'
import { writeMessage } from '../../../../src/adapters/docker/protobuf.js'
import { decodeTrace } from '../../../../src/adapters/docker/trace.js'
import type { ImageSpec } from '../../../../src/model/plan.js'
import type { BuildProgress, BuildStep } from '../../../../src/ports/image-builder.js'

const recorder = (): BuildProgress & { steps: BuildStep[]; lines: string[]; stages: string[] } => {
  const [steps, lines, stages]: [BuildStep[], string[], string[]] = [[], [], []]
  return {
    steps,
    lines,
    stages,
    step: (step) => void steps.push(step),
    log: (line) => void lines.push(line),
    stage: (stage) => void stages.push(stage),
    sent: () => undefined,
  }
}

const image: ImageSpec = {
  name: 'shop/api',
  context: '/shop',
  dockerfile: { path: '/shop/Dockerfile' },
  args: {},
  live: [],
  at: { file: '/shop/Devloopfile.ts', line: 5 },
}
const dockerfile = 'FROM node:20\nWORKDIR /app\nRUN npm ci && \\\n    npm test\nCOPY . .\n'

const time = (ms: number): ReturnType<typeof writeMessage> =>
  writeMessage()
    .number(1, Math.floor(ms / 1000))
    .number(2, (ms % 1000) * 1e6)
const vertex = (
  digest: string,
  name: string,
  rest: { started?: number; completed?: number; cached?: boolean; error?: string } = {},
): Buffer => {
  const message = writeMessage()
    .bytes(1, digest)
    .bytes(3, name)
    .number(4, rest.cached ? 1 : 0)
  if (rest.started !== undefined) message.message(5, time(rest.started))
  if (rest.completed !== undefined) message.message(6, time(rest.completed))
  return writeMessage()
    .message(1, message.bytes(7, rest.error ?? ''))
    .finish()
}
const log = (digest: string, text: string | Buffer): Buffer =>
  writeMessage().message(3, writeMessage().bytes(1, digest).number(3, 1).bytes(4, text)).finish()

test('a BuildKit trace becomes steps with names, states and times, and whole log lines', () => {
  const progress = recorder()
  const steps = createBuildkitSteps(progress)
  const [start, end] = [1_700_000_000_250, 1_700_000_001_500]
  const euro = Buffer.from('1 € is\n')
  const records = [
    vertex('i', '[internal] load build context', { started: start }),
    vertex('m', '[internal] load metadata for docker.io/library/node:20', { started: start, completed: start }),
    vertex('a', '[ 1/10] FROM docker.io/library/node:20'),
    vertex('a', '[ 1/10] FROM docker.io/library/node:20', { started: start, completed: start, cached: true }),
    vertex('b', '[ 2/10] RUN npm ci', { started: start }),
    vertex('b', '[ 2/10] RUN npm ci', { started: start }),
    log('b', euro.subarray(0, 3)),
    log('b', euro.subarray(3)),
    log('b', 'half\rwhole'),
    vertex('b', '[ 2/10] RUN npm ci', { started: start, completed: end }),
  ]
  for (const record of records) steps.push(decodeTrace(record))
  steps.end()
  expect(progress.steps).toEqual([
    {
      id: 'm',
      name: '[internal] load metadata for docker.io/library/node:20',
      state: 'done',
      startedAt: start,
      finishedAt: start,
    },
    { id: 'a', name: '[1/10] FROM docker.io/library/node:20', state: 'cached', startedAt: start, finishedAt: start },
    { id: 'b', name: '[2/10] RUN npm ci', state: 'running', startedAt: start },
    { id: 'b', name: '[2/10] RUN npm ci', state: 'running', startedAt: start, tail: ['1 € is'] },
    { id: 'b', name: '[2/10] RUN npm ci', state: 'done', startedAt: start, finishedAt: end },
  ])
  expect(progress.lines).toEqual(['1 € is', 'whole'])
  expect(progress.stages).toEqual(['build'])
  expect(steps.failed()).toBeUndefined()
})

test('secrets are hidden in lines, tails and errors, also as base64; short ones are not', () => {
  const progress = recorder()
  const secrets = ['s3cret-token\n', 'first line\nsecond line\n', 'abc'].map((text) => Buffer.from(text))
  const steps = createBuildkitSteps(progress, createMask(secrets))
  steps.push(decodeTrace(vertex('r', '[2/4] RUN env', { started: 1 })))
  for (const text of [
    'T=s3cret-token;\n',
    `${Buffer.from('s3cret-token').toString('base64')}\n`,
    `${Buffer.from('s3cret-token\n').toString('base64')}\n`,
    'the second line, abc\n',
  ])
    steps.push(decodeTrace(log('r', text)))
  steps.push(decodeTrace(vertex('r', '[2/4] RUN env', { started: 1, completed: 9, error: 'exit code: 7' })))
  expect(progress.lines).toEqual(['T=***;', '***', '***==', 'the ***, abc'])
  expect(progress.steps.at(-1)?.tail).toEqual(progress.lines)
  expect(steps.failed()?.output).toBe(progress.lines.join('\n'))
})

test('the step at fault is the one that failed by itself, with the end of its output', () => {
  const steps = createBuildkitSteps(recorder())
  steps.push(decodeTrace(vertex('o', '[3/4] COPY . .', { started: 1, completed: 2, error: 'context canceled' })))
  for (let line = 0; line < 500; line++) steps.push(decodeTrace(log('r', `line ${line} ${'x'.repeat(100)}\n`)))
  steps.push(decodeTrace(vertex('r', '[2/4] RUN npm ci', { started: 1, completed: 9, error: 'exit code: 7' })))
  const failed = steps.failed()
  expect(failed).toMatchObject({ name: '[2/4] RUN npm ci', error: 'exit code: 7' })
  expect(failed?.output.endsWith(`line 499 ${'x'.repeat(100)}`)).toBe(true)
  expect(failed?.output.length).toBeLessThanOrEqual(4000)
})

test("the classic builder's words become the same steps", () => {
  const progress = recorder()
  const steps = createClassicSteps(progress)
  for (const text of [
    'Step 1/3 : FROM node:20\n',
    ' ---> abc\n',
    'Step 2/3 : WORKDIR /app\n ---> Using cache\n ---> def\nStep 3/3 : RUN npm',
    ' test\n',
    ' ---> Running in 123\n',
    '\u001b[91moh no\u001b[0m\n',
  ]) {
    steps.push(text)
  }
  steps.end("The command '/bin/sh -c npm test' returned a non-zero code: 4")
  expect(progress.steps.map(({ name, state }) => [name, state])).toEqual([
    ['[1/3] FROM node:20', 'running'],
    ['[1/3] FROM node:20', 'done'],
    ['[2/3] WORKDIR /app', 'running'],
    ['[2/3] WORKDIR /app', 'cached'],
    ['[3/3] RUN npm test', 'running'],
    ['[3/3] RUN npm test', 'running'],
    ['[3/3] RUN npm test', 'failed'],
  ])
  expect(progress.lines).toEqual(['oh no'])
  expect(steps.failed()).toMatchObject({ number: 3, output: 'oh no' })
})

test.each([
  [
    'BuildKit',
    { name: '[3/4] RUN npm ci && npm test', error: 'process "/bin/sh -c npm ci" did not complete successfully: exit code: 1' },
  ],
  ['20.10', { name: '[3/4] RUN npm ci &&     npm test', error: 'executor failed running [/bin/sh -c npm ci]: exit code: 1' }],
  [
    'classic',
    { name: '[3/5] RUN npm ci &&     npm test', error: "The command '/bin/sh -c npm ci' returned a non-zero code: 1", number: 3 },
  ],
])('a failed instruction is named with its line, exit code and output: %s', (_, step) => {
  const error = buildError({
    image,
    dockerfile,
    text: `failed to solve: ${step.error}`,
    step: { ...step, output: 'npm ERR! nope' },
  })
  expect(error.info).toMatchObject({
    code: 'build/failed',
    message: '`RUN npm ci && npm test` of image shop/api failed with exit code 1.',
    why: `npm ERR! nope\n${step.error}`,
    where: { file: '/shop/Dockerfile', line: 3 },
  })
})

test.each([
  'failed to solve with frontend dockerfile.v0: failed to create LLB definition: dockerfile parse error line 2: unknown instruction: WORKDIRR',
  'failed to solve: dockerfile parse error on line 2: unknown instruction: WORKDIRR',
])('a syntax error has the line that the engine names: %s', (text) => {
  const { info } = buildError({ image, dockerfile, text })
  expect(info).toMatchObject({
    code: 'build/failed',
    why: 'unknown instruction: WORKDIRR',
    where: { file: '/shop/Dockerfile', line: 2 },
  })
})

test('a base image that cannot be had is told apart from a registry that does not answer', () => {
  const failing = (error: string): unknown =>
    buildError({
      image,
      dockerfile,
      text: error,
      step: { name: '[internal] load metadata for docker.io/library/node:20', error, output: '' },
    }).info
  const where = { file: '/shop/Dockerfile', line: 1 }
  expect(failing('docker.io/library/node:20: not found')).toMatchObject({ code: 'build/failed', where })
  expect(failing('dial tcp: lookup registry-1.docker.io: no such host')).toMatchObject({ code: 'registry/unreachable', where })
  expect(failing('unexpected status: 401 Unauthorized')).toMatchObject({
    code: 'registry/auth',
    where,
    message: 'The registry docker.io refused the credentials to give the base image docker.io/library/node:20.',
  })
})

test('an inline Dockerfile is placed at its image, with its own line in words', () => {
  const inline = { ...image, dockerfile: { inline: dockerfile } }
  const step = { name: '[2/4] WORKDIR /app', error: 'no', output: '' }
  expect(buildError({ image: inline, dockerfile, text: 'no', step }).info).toMatchObject({
    message: '`WORKDIR /app` of image shop/api failed (line 2 of the inline Dockerfile).',
    where: image.at,
  })
})

test('a missing stage and a Dockerfile without FROM are explained', () => {
  expect(buildError({ image, dockerfile, text: 'target stage "zz" could not be found' }).info).toMatchObject({
    message: "The Dockerfile of image shop/api has no stage 'zz'.",
    where: image.at,
  })
  expect(
    buildError({ image, dockerfile: '# x\nRUN a', text: 'failed to create LLB definition: no build stage in current context' })
      .info,
  ).toMatchObject({
    where: { file: '/shop/Dockerfile', line: 2 },
  })
})
