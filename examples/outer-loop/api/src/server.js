import { createServer } from 'node:http'

const server = createServer((_request, response) => response.end(`${process.env.GREETING}\n`))
server.listen(Number(process.env.PORT ?? 8080))
process.on('SIGTERM', () => server.close(() => process.exit(0)))
