// Where this user's state belongs, by the XDG base directory rules.
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'

/** devloop's folder for what outlives a run: `$XDG_STATE_HOME/devloop`, else `~/.local/state/devloop`. Relative settings do not count. */
export function stateDir(env: NodeJS.ProcessEnv): string {
  const given = env.XDG_STATE_HOME
  return join(given && isAbsolute(given) ? given : join(homedir(), '.local', 'state'), 'devloop')
}
