import { describe, expect, test } from 'vitest'
import { debugCommand, missingDebugger } from '../../../src/model/debug-command.js'
import type { DebugLanguage } from '../../../src/model/plan.js'

/** The command as one line, with the variables before it; or why not. */
function made(language: DebugLanguage, ...argv: string[]): string {
  const found = debugCommand(language, 9000, argv)
  if (!('argv' in found)) return `no: ${found.why}`
  return [...Object.entries(found.env).map(([name, value]) => `${name}=${value}`), ...found.argv].join(' ')
}
const inspect = '--inspect=127.0.0.1:9000'
const jdwp = '-agentlib:jdwp=transport=dt_socket,server=y,suspend=n,address=127.0.0.1:9000'
const debugpy = '-m debugpy --listen 127.0.0.1:9000'
const options =
  '--headless --continue --accept-multiclient --api-version=2 --check-go-version=false --only-same-user=false --listen=127.0.0.1:9000'

describe('node', () => {
  test.each([
    [['node', 'src/server.js'], `node ${inspect} src/server.js`],
    [['/usr/local/bin/node', '--enable-source-maps', 'a'], `/usr/local/bin/node ${inspect} --enable-source-maps a`],
    [['docker-entrypoint.sh', 'node', 'a'], `docker-entrypoint.sh node ${inspect} a`],
    [['/usr/bin/tini', '-s', '--', 'node', 'a'], `/usr/bin/tini -s -- node ${inspect} a`],
    [['/bin/sh', '-c', 'exec node a.js --port 1'], `node ${inspect} a.js --port 1`],
    // what only the shell understands stays with it
    [['/bin/sh', '-c', 'node a.js && echo done'], `NODE_OPTIONS=${inspect} /bin/sh -c node a.js && echo done`],
    [['tsx', 'a.ts'], `NODE_OPTIONS=${inspect} tsx a.ts`],
    [[], `NODE_OPTIONS=${inspect}`],
  ])('%j', (argv, wanted) => expect(made('node', ...argv)).toBe(wanted))

  test.each([[['npm', 'start']], [['/bin/sh', '-c', 'PORT=1 yarn dev']], [['docker-entrypoint.sh', 'npx', 'vite']]])(
    '%j is a program of node itself',
    (argv) => expect(made('node', ...argv)).toMatch(/^no: It starts node by a package manager/),
  )
})

describe('python', () => {
  test.each([
    [['python', 'app.py', '-x'], `python ${debugpy} app.py -x`],
    [['python3.12', '-u', '-W', 'error', '-m', 'flask', 'run'], `python3.12 -u -W error ${debugpy} -m flask run`],
    [['/bin/sh', '-c', 'python app.py'], `python ${debugpy} app.py`],
    [['tini', 'uvicorn', 'main:app', '--port', '80'], `tini python ${debugpy} -m uvicorn main:app --port 80`],
  ])('%j', (argv, wanted) => expect(made('python', ...argv)).toBe(wanted))

  test('what is no python', () => {
    expect(made('python', 'ruby', 'a')).toBe('no: Its command starts `ruby`, and not python.')
    expect(made('python')).toBe('no: Its command is not known, or is more than one program.')
    expect(made('python', 'python')).toMatch(/^no: /)
  })
})

describe('go', () => {
  test.each([
    [['/app/server', '--port', '1'], `dlv exec /app/server ${options} -- --port 1`],
    [['/bin/sh', '-c', './server'], `dlv exec ./server ${options}`],
    [['tini', '--', '/server'], `tini -- dlv exec /server ${options}`],
    [['go', 'run', './cmd/web', 'a'], `dlv debug ./cmd/web ${options} -- a`],
  ])('%j', (argv, wanted) => expect(made('go', ...argv)).toBe(wanted))

  test('what is no one program', () => {
    expect(made('go')).toMatch(/^no: Its command is not known/)
    expect(made('go', 'sh', '-c', 'migrate && server')).toMatch(/^no: Its command is not known/)
  })
})

test('java: to the program itself, else by the variable that every JVM reads', () => {
  expect(made('java', 'java', '-jar', 'a.jar')).toBe(`java ${jdwp} -jar a.jar`)
  expect(made('java', 'catalina.sh', 'run')).toBe(`JAVA_TOOL_OPTIONS=${jdwp} catalina.sh run`)
})

test.each([
  ['go', 'exec: "dlv": executable file not found in $PATH', 'dlv'],
  ['go', 'It said last:\nsh: exec: line 1: dlv: not found', 'dlv'],
  ['go', 'exec: "server": executable file not found in $PATH', undefined],
  ['python', '/usr/bin/python: No module named debugpy', 'debugpy'],
  ['python', "No module named 'flask'", undefined],
  ['node', 'dlv: not found', undefined],
] as const)('what is missing for %s after: %s', (language, said, wanted) => {
  expect(missingDebugger(language, said)?.what).toBe(wanted)
})
