// The variables that tell an app its ports.

/** `PORT` = the first port, and `PORT_<NAME>` for each: letters in upper case, all else `_`. */
export function portVariables(ports: Readonly<Record<string, number>>): Record<string, string> {
  const entries = Object.entries(ports)
  const first = entries[0]
  if (!first) return {}
  const named = entries.map(([name, port]) => [`PORT_${name.toUpperCase().replace(/[^A-Z0-9]/g, '_')}`, String(port)] as const)
  return { PORT: String(first[1]), ...Object.fromEntries(named) }
}
