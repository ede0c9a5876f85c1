// The projects that are measured: a small Node server in one image, and the Devloopfile for it.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Answers from its files on each request, so that a synced file is seen without a restart. */
const serverSource = `import { createHash } from 'node:crypto'
import { closeSync, fstatSync, openSync, readdirSync, readFileSync, readSync, watch } from 'node:fs'
import { createServer } from 'node:http'
import { dirname } from 'node:path'
import { version } from './version.js'

const filesIn = (folder) => readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => one.isFile()).map((one) => one.parentPath + '/' + one.name).sort()

/** How many of the files hold the mark: goes on from where it stood, so that asking often costs little. */
let counted = { mark: '', count: 0 }
function count(mark, files) {
  if (counted.mark !== mark) counted = { mark, count: 0 }
  try {
    while (counted.count < files.length && readFileSync(files[counted.count], 'utf8').startsWith(mark)) counted.count++
  } catch {}
  return String(counted.count)
}

/** Size, first and last bytes: which content a large file has, and whether all of it is there, for next to nothing. */
function stamp(path) {
  const file = openSync(path)
  try {
    const { size } = fstatSync(file)
    const bytes = Buffer.alloc(32)
    readSync(file, bytes, 0, 16, 0)
    readSync(file, bytes, 16, 16, Math.max(0, size - 16))
    return size + ' ' + bytes.toString('hex')
  } finally {
    closeSync(file)
  }
}

/** Answers when the file holds the text: costs nothing until then. */
function when(path, text) {
  const holds = () => {
    try {
      return readFileSync(path, 'utf8') === text
    } catch {
      return false
    }
  }
  return new Promise((resolve) => {
    const look = () => {
      if (!holds()) return
      watcher.close()
      resolve(text)
    }
    const watcher = watch(dirname(path), look)
    look()
  })
}

let list = []
const answers = {
  '/read': (path) => readFileSync(path, 'utf8'),
  '/stamp': stamp,
  '/when': (query) => when(query.slice(0, query.indexOf(',')), query.slice(query.indexOf(',') + 1)),
  '/version': () => version + ' ' + startMs,
  '/began': () => String(performance.timeOrigin),
  '/list': (text) => String((list = text.split(',').flatMap((folder) => Array.from({ length: 50 }, (_, i) => folder + '/f' + i + '.txt'))).length),
  '/count': (mark) => count(mark, list),
  '/hash': (folder) => filesIn(folder).reduce((hash, path) => hash.update(path.slice(folder.length)).update(readFileSync(path)), createHash('sha256')).digest('hex'),
  '/log': (lines) => { for (let i = 0; i < Number(lines); i++) console.log('line ' + i + ' of the output of an app that has much to say ' + 'x'.repeat(60)); return lines },
}
const server = createServer(async (request, response) => {
  const [path, query = ''] = request.url.split('?')
  try {
    response.end(await answers[path](decodeURIComponent(query)))
  } catch (error) {
    response.writeHead(500).end(error.message)
  }
})
let startMs = 0
server.listen(Number(process.env.PORT), () => { startMs = Math.round(performance.now()); console.log('listens on ' + process.env.PORT) })
process.on('SIGTERM', () => process.exit(0))
`

const dockerfile = (layer) => `ARG BASE
FROM \${BASE}
WORKDIR /app
RUN mkdir -p /app/floor
${layer ? `COPY ${layer} ./${layer}\n` : ''}COPY files ./files
COPY src ./src
COPY build-input.txt ./
EXPOSE 8080
CMD ["node", "src/server.js"]
`

export const port = 8080

/**
 * Write a project.
 * @param folder made anew
 * @param image its repository in the registry
 * @param contexts kubeconfig contexts that may be written to
 * @param layer a folder that is a layer of the image of its own, before the sources
 * @param replicas pods of the app
 * @param resources more of them, as source text; `settings` too
 */
export async function writeProject(
  folder,
  { image, base, namespace, contexts, layer, extraRules = [], replicas = 1, resources = [], settings = '' },
) {
  const context = join(folder, 'app')
  for (const name of ['src', 'files', ...(layer ? [layer] : [])]) await mkdir(join(context, name), { recursive: true })
  await Promise.all([
    writeFile(join(context, 'src/server.js'), serverSource),
    writeFile(join(context, 'src/version.js'), "export const version = 'v0'\n"),
    writeFile(join(context, 'src/package.json'), '{ "type": "module" }\n'),
    writeFile(join(context, 'files/value.txt'), 'first\n'),
    writeFile(join(context, 'build-input.txt'), 'first\n'),
    writeFile(join(context, 'Dockerfile'), dockerfile(layer)),
  ])
  const devloopfile = join(folder, 'Devloopfile.ts')
  const text = (locals = 0) => `import { app, defineDevloop, image, local, restart, sync } from 'devloop'

const server = image(${JSON.stringify(image)}, {
  context: 'app',
  args: { BASE: ${JSON.stringify(base)} },
  live: [
    sync('src', '/app/src'),
    sync('files', '/app/files'),
    sync('many', '/app/many'),
    sync('memory', '/dev/shm/many'),
    sync('one-large', '/app/one-large'),
    ${extraRules.map((rule) => `${rule},`).join(' ')}
    restart({ on: 'src/**' }),
  ],
})

export default defineDevloop({
  name: 'bench',
  cluster: { contexts: ${JSON.stringify(contexts)}, namespace: ${JSON.stringify(namespace)} },${settings}
  resources: [
    app('server', { image: server, port: ${port}, replicas: ${replicas}, process: { command: ['node', 'src/server.js'] } }),
    ${Array.from({ length: locals }, (_, i) => `local('extra-${i + 1}', { run: 'true' }),`).join(' ')}
    ${resources.map((text) => `${text},`).join('\n    ')}
  ],
})
`
  await writeFile(devloopfile, text())
  return { folder, context, devloopfile, devloopfileText: text }
}
