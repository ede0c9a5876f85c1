// Asks the greeter and puts the answer below its own heading.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { heading } from './heading.js'

const port = Number(process.env.PORT ?? 8080)
const footer = () => readFileSync(new URL('../public/footer.txt', import.meta.url), 'utf8').trim()
const { name } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))

const server = createServer(async (request, response) => {
  try {
    const greeting = await (await fetch(process.env.GREETER_URL)).text()
    response.end(`${heading}: ${greeting}, ${footer()}, ${name}`)
  } catch (error) {
    response.writeHead(502).end(`no greeting: ${error.message}`)
  }
})
server.listen(port, () => console.log(`listening on ${port}`))
process.on('SIGTERM', () => server.close(() => process.exit(0)))
