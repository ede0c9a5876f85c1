// `debug` of an app: in the plan, its ports, and what is wrong with it.
import { expect, test } from 'vitest'
import { project } from './project.js'

const made = (resources: string) =>
  project({
    'Devloopfile.ts': `
import { app, defineDevloop, local } from 'devloop'
export default defineDevloop({ name: 'shop', resources: [
${resources}
] })
`,
  })

test('each debugger gets a port of its own that no other resource wants', async () => {
  const one = made(`
    app('a', { image: 'x', debug: 'node' }),
    app('b', { image: 'x', port: 80, forward: 9230, debug: 'node' }),
    app('c', { image: 'x', debug: 'node' }),
    app('d', { image: 'x', debug: { language: 'java', local: 5006 } }),
    app('e', { image: 'x', debug: 'python' }),
    app('f', { image: 'x' }),
    local('g', { serve: 'x', port: 5678 }),`)
  const { resources } = await one.plan()
  expect(Object.values(resources).map((spec) => (spec.kind === 'app' ? spec.debug : undefined))).toEqual([
    { language: 'node', port: 9229, local: 9229, fallback: 'next-free' },
    { language: 'node', port: 9229, local: 9231, fallback: 'next-free' },
    { language: 'node', port: 9229, local: 9232, fallback: 'next-free' },
    { language: 'java', port: 5005, local: 5006 },
    { language: 'python', port: 5678, local: 5679, fallback: 'next-free' },
    undefined,
    undefined,
  ])
})

test('what is wrong with it', async () => {
  const one = made(`
    app('a', { image: 'x', debug: 'nodejs' as any }),
    app('b', { image: 'x', debug: { language: 'go' } as any }),
    app('c', { image: 'x', port: 9229, debug: 'node' }),
    app('d', { image: 'x', debug: { language: 'java', local: 5005 } }),
    app('e', { image: 'x', debug: { language: 'java', local: 5005 } }),
    app('f', { image: 'x', debug: true as any }),`)
  expect(await one.errors()).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:5:5
    app 'a': \`debug\` must be 'node', 'python', 'go' or 'java'.
    Received 'nodejs'.
    -> Did you mean 'node'?

    devloopfile/invalid at Devloopfile.ts:6:5
    app 'b': \`debug.local\` is missing.
    -> Give a port number.

    devloopfile/invalid at Devloopfile.ts:7:5
    app 'c': its port 'main' is the one that the debugger listens on in the container.
    Received 9229.
    -> Let the app listen on another port, or remove the port: devloop forwards the debugger by itself.

    devloopfile/invalid at Devloopfile.ts:9:5
    'e' and 'd' use the same local port 5005.
    The other one stands at Devloopfile.ts:8:5.
    -> Forward one of them to another port.

    devloopfile/invalid at Devloopfile.ts:10:5
    app 'f': \`debug\` must be 'node', 'python', 'go' or 'java'.
    Received true.
    -> Correct the value that the error names."
  `)
})
