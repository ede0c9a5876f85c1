// What tells this machine from others that share a cluster with it.
import { existsSync, readFileSync } from 'node:fs'
import { hostname } from 'node:os'

/** Stable while the machine is: its machine id where it has one, else its host name. Containers of one image share an id, so they add their host name. */
export function machineId(): string {
  for (const file of ['/etc/machine-id', '/var/lib/dbus/machine-id']) {
    try {
      const id = readFileSync(file, 'utf8').trim()
      if (id !== '') return existsSync('/.dockerenv') || existsSync('/run/.containerenv') ? `${id} ${hostname()}` : id
    } catch {
      // the next one
    }
  }
  return hostname()
}
