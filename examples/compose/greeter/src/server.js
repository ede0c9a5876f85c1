// Greets with the word that its secret holds.
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { greet } from './greet.js'

const port = Number(process.env.PORT ?? 8081)
const secret = '/run/secrets/word'
const word = () => (existsSync(secret) ? readFileSync(secret, 'utf8').trim() : 'hi')

const server = createServer((request, response) => response.end(greet(word())))
server.listen(port, () => console.log(`listening on ${port}`))
process.on('SIGTERM', () => server.close(() => process.exit(0)))
