// Reading what configs take their values from, on this machine.
import type { ConfigRead } from '../model/config-values.js'
import type { ConfigSpec } from '../model/plan.js'

export interface ConfigReader {
  /**
   * Read the files and folders of a config, and run its command. What was read is in no error. Several at once are fine.
   * @param onOutput gets the lines that a command prints for people, on its stderr
   * @throws DevloopError config/source, config/command; AbortError
   */
  read(spec: ConfigSpec, onOutput: (line: string) => void, signal: AbortSignal): Promise<ConfigRead>
}
