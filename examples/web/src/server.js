// Serves the page in public/, read anew for each request, and passes /greeting on to the api.
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname } from 'node:path'
import { page } from './page.js'

const port = Number(process.env.PORT ?? 8080)
const api = process.env.API_URL ?? 'http://localhost:8081'
const publicFolder = new URL('../public/', import.meta.url)
const types = { '.css': 'text/css', '.js': 'text/javascript', '.svg': 'image/svg+xml' }

const server = createServer(async (request, response) => {
  const { pathname, search } = new URL(request.url ?? '/', 'http://web')
  if (pathname === '/healthz') return response.end('ok\n')
  if (pathname === '/') return send(response, 'text/html; charset=utf-8', page())
  if (pathname === '/greeting') {
    const answer = await fetch(`${api}/${search}`)
      .then((reply) => reply.text())
      .catch(() => undefined)
    return answer ? send(response, 'application/json', answer) : response.writeHead(502).end('the api does not answer\n')
  }
  const file = new URL(`.${pathname}`, publicFolder)
  const content = file.href.startsWith(publicFolder.href) ? await readFile(file).catch(() => undefined) : undefined
  if (!content) return response.writeHead(404).end('not found\n')
  send(response, types[extname(pathname)] ?? 'application/octet-stream', content)
})

function send(response, type, body) {
  response.writeHead(200, { 'content-type': type, 'cache-control': 'no-store' }).end(body)
}

server.listen(port, () => console.log(`web listens on port ${port}, and asks the api at ${api}`))
// the first process of a container ends on SIGTERM only when it says so
process.on('SIGTERM', () => process.exit(0))
