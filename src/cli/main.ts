#!/usr/bin/env node
// The command line: argv in, exit code out. Loads what a command needs only once the command is known.
import { run } from './run.js'

process.exitCode = await run(process.argv.slice(2))
// what is left open (a watcher that hangs, a socket that lingers) must not keep a finished command
if (process.exitCode !== undefined) setTimeout(() => process.exit(), 300).unref()
