// Runs one command line.
import { CommanderError } from 'commander'
import { exitCodes, fail } from './exit.js'
import { createProgram } from './program/program.js'

/** @returns the exit code */
export async function run(argv: readonly string[]): Promise<number> {
  const { program, code } = createProgram(argv)
  try {
    await program.parseAsync(argv, { from: 'user' })
    return code()
  } catch (thrown) {
    // help that was asked for is no error; commander has printed it, and its own errors, already
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? exitCodes.ok : exitCodes.usage
    return fail(thrown)
  }
}
