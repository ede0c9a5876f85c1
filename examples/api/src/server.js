// A greeting as JSON: GET /?name=you
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { hostname } from 'node:os'
import { greeting } from './greeting.js'

const port = Number(process.env.PORT ?? 8080)
const startedAt = new Date().toISOString()
const readConfig = () => JSON.parse(readFileSync(new URL('../config.json', import.meta.url), 'utf8'))
let config = readConfig()

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://api')
  if (pathname === '/healthz') return response.end('ok\n')
  if (pathname !== '/') return response.writeHead(404).end('not found\n')
  const words = greeting(searchParams.get('name') ?? 'world')
  const answer = { greeting: config.shout ? words.toUpperCase() : words, from: hostname(), pid: process.pid, startedAt }
  response.setHeader('content-type', 'application/json')
  response.end(`${JSON.stringify(answer)}\n`)
})

server.listen(port, () => console.log(`api listens on port ${port}`))
// what runs goes on with the new configuration
process.on('SIGHUP', () => {
  config = readConfig()
  console.log(`api has read its configuration: ${JSON.stringify(config)}`)
})
// the first process of a container ends on SIGTERM only when it says so
process.on('SIGTERM', () => process.exit(0))
