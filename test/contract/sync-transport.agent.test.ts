// The agent as a process of this machine.
import { builtAgent } from '../support/agent.js'
import { localAgentFixture } from '../unit/adapters/kube/sync/local-exec.js'
import { syncTransportSuite } from './sync-transport.js'

const { agent, missing } = builtAgent()

syncTransportSuite({ name: 'agent', missing, open: () => localAgentFixture(agent) })
