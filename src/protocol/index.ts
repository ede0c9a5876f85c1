// Entry `devloop/protocol`: the types and constants of the status protocol.
export * from './messages.js'
export * from './discovery.js'
