// A project of one small app for the process runtime: it serves a word, read anew for each request.
import { join } from 'node:path'
import { answers, homes, project, put, run, start, watch, type Ended, type Running, type Watching } from './devloop.js'
import { freePort } from './free-port.js'

const server = `
import { createServer } from 'node:http'
import { readFileSync } from 'node:fs'
createServer((request, response) => {
  const [, lines] = /^.lines.(\\d+)$/.exec(request.url) ?? []
  for (let i = 0; i < Number(lines ?? 0); i++) console.log('line ' + i + ' ' + 'x'.repeat(80))
  response.end(readFileSync(new URL('./word.txt', import.meta.url), 'utf8') + ' ' + (process.env.EXTRA ?? ''))
}).listen(Number(process.env.PORT))
console.log('listening as process ' + process.pid)
`

export interface WordApp {
  readonly folder: string
  readonly env: Record<string, string>
  readonly port: number
  /** The good Devloopfile. `body` comes before the app is declared, `extra` is what the app's answers end with. */
  devloopfile(parts?: { imports?: string; body?: string; extra?: string; resources?: string }): string
  /** Write a file of the project. */
  save(name: string, text: string): Promise<void>
  /** Wait until the app answers so. */
  answers(expected: string | RegExp): Promise<string>
  /** Start `devloop watch` with a client, not waiting for anything to be ready. */
  watch(...args: string[]): Promise<Watching>
  /** Start any command. */
  start(...args: string[]): Running
  /** Run any command to its end. */
  run(...args: string[]): Promise<Ended>
}

/** Make the project, with `files` beside or instead of its own. */
export async function wordApp(files: Readonly<Record<string, string>> = {}): Promise<WordApp> {
  const [env, port] = [await homes(), await freePort()]
  const devloopfile: WordApp['devloopfile'] = ({ imports = '', body = '', extra = '', resources = '' } = {}) => `
import { app, defineDevloop, image, sync } from 'devloop'
${imports}
export default defineDevloop(() => {
  ${body}
  return {
    name: 'words',
    resources: [
      app('words', {
        image: image('test/words', { context: 'app', live: [sync('src', '/app/src')] }),
        port: 8080,
        forward: ${port},
        env: { EXTRA: '${extra}' },
        process: { command: ['node', 'src/server.js'] },
      }),
      ${resources}
    ],
  }
})
`
  const folder = await project({
    'Devloopfile.ts': devloopfile(),
    'app/Dockerfile': 'FROM node\nWORKDIR /app\n',
    'app/package.json': '{"type":"module"}',
    'app/src/server.js': server,
    'app/src/word.txt': 'one',
    ...files,
  })
  const options = { cwd: folder, env }
  return {
    folder,
    env,
    port,
    devloopfile,
    save: (name, text) => put(join(folder, name), text),
    answers: (expected) => answers(`http://127.0.0.1:${port}`, expected),
    watch: (...args) => watch(['--runtime', 'process', ...args], options),
    start: (...args) => start(args, options),
    run: (...args) => run(args, options),
  }
}
