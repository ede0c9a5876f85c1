// A project whose app is a Go program: built here, synced as the file that it is, and started anew for each save.
import { execFile } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { port } from './project.mjs'

const run = promisify(execFile)

/** The same number of bytes in every build, so that one program can be made of another. */
const firstBuild = 'build-000000000000'

/** It reads its file at its start only, and takes 10 ms to start, as an app with something to open does. */
const source = `package main

import (
	"fmt"
	"net/http"
	"os"
	"time"
)

var build = "${firstBuild}"

func main() {
	time.Sleep(10 * time.Millisecond)
	path := os.Getenv("VALUE")
	if path == "" {
		path = "files/value.txt"
	}
	value, err := os.ReadFile(path)
	if err != nil {
		panic(err)
	}
	http.HandleFunc("/version", func(response http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(response, "%s %s", build, value)
	})
	panic(http.ListenAndServe(":"+os.Getenv("PORT"), nil))
}
`

const dockerfile = `ARG BASE
FROM \${BASE}
WORKDIR /app
RUN mkdir -p /app/floor
COPY bin ./bin
COPY files ./files
EXPOSE ${port}
CMD ["/app/bin/server"]
`

/** Whether there is a Go to build with. */
export const hasGo = () =>
  run('go', ['version']).then(
    () => true,
    () => false,
  )

/**
 * Write the project and build its program.
 * @param architecture of the nodes, as Go calls it
 */
export async function writeGoProject(folder, { image, base, namespace, contexts, architecture }) {
  const context = join(folder, 'app')
  const program = join(folder, 'source')
  for (const made of [join(context, 'files'), join(context, 'bin'), program]) await mkdir(made, { recursive: true })
  const devloopfile = join(folder, 'Devloopfile.ts')
  await Promise.all([
    writeFile(join(context, 'files/value.txt'), 'first'),
    writeFile(join(context, 'Dockerfile'), dockerfile),
    writeFile(join(program, 'main.go'), source),
    writeFile(join(program, 'go.mod'), 'module bench\n\ngo 1.21\n'),
    writeFile(
      devloopfile,
      `import { app, defineDevloop, image, restart, sync } from 'devloop'

const server = image(${JSON.stringify(image)}, {
  context: 'app',
  args: { BASE: ${JSON.stringify(base)} },
  live: [sync('bin', '/app/bin'), sync('files', '/app/files'), restart({ on: ['bin/**', 'files/**'] })],
})

export default defineDevloop({
  name: 'bench',
  cluster: { contexts: ${JSON.stringify(contexts)}, namespace: ${JSON.stringify(namespace)} },
  resources: [app('server', { image: server, port: ${port} })],
})
`,
    ),
  ])
  const built = join(context, 'bin/server')
  await run('go', ['build', '-o', built, '.'], {
    cwd: program,
    env: { ...process.env, CGO_ENABLED: '0', GOOS: 'linux', GOARCH: architecture, GOTOOLCHAIN: 'local', GOFLAGS: '-mod=mod' },
  })
  const bytes = await readFile(built)
  const places = []
  for (let at = bytes.indexOf(firstBuild); at >= 0; at = bytes.indexOf(firstBuild, at + 1)) places.push(at)
  if (places.length === 0) throw new Error('the Go program does not hold the name of its build')

  /** The program as another build of it would be: its name is another one. */
  function anotherBuild() {
    const name = `build-${String(randomInt(1e12)).padStart(12, '0')}`
    const other = Buffer.from(bytes)
    for (const at of places) other.write(name, at)
    return { name, bytes: other }
  }

  return { folder, context, devloopfile, program: built, programBytes: bytes.length, anotherBuild }
}
