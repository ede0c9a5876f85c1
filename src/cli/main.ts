#!/usr/bin/env node
// The command line: argv in, exit code out. Loads what a command needs only once the command is known.
import { exitCodes, fail } from './exit.js'
import { guardOutput, onUncaught } from './output.js'
import { run } from './run.js'

guardOutput()
onUncaught((thrown) => {
  // told last, when a screen that is shown has been put away
  process.on('exit', () => fail(thrown))
  process.exit(exitCodes.defect)
})
process.exitCode = await run(process.argv.slice(2))
// what is left open (a watcher that hangs, a socket that lingers) must not keep a finished command
setTimeout(() => process.exit(), 300).unref()
