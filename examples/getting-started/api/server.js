// A page with a greeting of the service beside it, and what the worker counted in the database.
const { createServer } = require('node:http')
const { connect } = require('node:net')

const title = 'The page'
const database = new URL(process.env.REDIS_URL)

const counted = () =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: database.hostname, port: database.port }, () =>
      socket.end(`AUTH ${database.password}\r\nGET jobs\r\nQUIT\r\n`),
    )
    let text = ''
    socket.setEncoding('utf8').on('data', (part) => (text += part))
    socket.on('error', reject).on('end', () => resolve(Number(/\$\d+\r\n(\d+)/.exec(text)?.[1] ?? 0)))
  })

createServer(async (request, response) => {
  try {
    const greeting = await (await fetch(process.env.GREETER_URL)).text()
    response.end(`${title}: ${greeting}, ${await counted()} jobs done`)
  } catch (error) {
    response.writeHead(502).end(String(error))
  }
}).listen(process.env.PORT ?? 8080)
