// What stands after `--` on a command line belongs to the Devloopfile.

/**
 * Tell the operands of a command from the Devloopfile's arguments, which the parser gives as one list.
 * @param operands all of them, in their order
 */
export function splitArgs(
  argv: readonly string[],
  operands: readonly string[],
): { names: readonly string[]; args: readonly string[] } {
  const at = argv.indexOf('--')
  const after = at < 0 ? 0 : argv.length - at - 1
  return { names: operands.slice(0, operands.length - after), args: operands.slice(operands.length - after) }
}
