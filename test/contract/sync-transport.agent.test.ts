// The agent as a process of this machine.
import { builtAgent } from '../support/agent.js'
import { localAgentFixture } from '../unit/adapters/kube/sync/local-exec.js'
import { syncBothWaysSuite } from './sync-both-ways.js'
import { syncListSuite } from './sync-list.js'
import { syncResumeSuite } from './sync-resume.js'
import { syncTransportSuite, type SyncFixture } from './sync-transport.js'

const { agent, missing } = builtAgent()

const suite = { name: 'agent', missing, open: (): Promise<SyncFixture> => localAgentFixture(agent) }
syncTransportSuite(suite)
syncListSuite(suite)
syncResumeSuite(suite)
syncBothWaysSuite(suite)
