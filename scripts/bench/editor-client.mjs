// What an editor's extension keeps open: the state and the logs of all resources. argv: the daemon's socket, the built client library.
import { pathToFileURL } from 'node:url'

const [socket, library] = process.argv.slice(2)
const { connectDevloop } = await import(pathToFileURL(library).href)
const client = connectDevloop({ endpoint: { socket }, name: 'bench editor', topics: ['state'] })
client.logs({ tail: 100 }, () => {})
await client.whenOpen({ timeoutMs: 30_000 })
process.send('open')
process.on('disconnect', () => process.exit())
