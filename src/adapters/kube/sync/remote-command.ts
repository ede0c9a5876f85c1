// Running a command in a container beside the shell loop, so that it can be ended with everything it started.
import { DevloopError } from '../../../errors/devloop-error.js'
import type { Command } from '../../../model/plan.js'
import { shellWord } from '../../../model/shell-word.js'
import type { OpenExec } from './exec-stream.js'
import { readLines } from './output-lines.js'

/** The shell of a container, for the loop, commands and the supervisor alike. */
export const shellPath = '/bin/sh'

/** Says its process id and becomes the command. What runs by exec has a process group of its own. */
const startScript = `printf '%s\\n' "$$"; exec "$@"`

/**
 * Becomes a user, then a command: $1 the user, $2 the command as text, and the command. By setpriv, which keeps the process; else by su.
 * Status 126 and one line when it cannot.
 */
const userScript = `
no() { printf 'devloop: user: %s\n' "$1" >&2; exit 126; }
u=$1 t=$2
shift 2
me=$(id -u) || no 'there is no id in the container'
id=$(id -u "$u" 2>/dev/null) || case $u in *[!0-9]*) no "there is no user $u";; *) id=$u;; esac
[ "$id" = "$me" ] && exec "$@"
[ "$me" = 0 ] || no "the container runs as $me, which may not become another user"
row= name= group=0 home=/
while IFS=: read -r n p i g c h s; do
  [ "$i" = "$id" ] && { name=$n group=$g home=\${h:-/}; break; }
done < /etc/passwd 2>/dev/null
HOME=$home
export HOME
if command -v setpriv >/dev/null 2>&1 && setpriv --reuid "$id" --regid "$group" --clear-groups true 2>/dev/null; then
  if [ "$name" ]; then exec setpriv --reuid "$id" --regid "$group" --init-groups "$@"
  else exec setpriv --reuid "$id" --regid "$group" --clear-groups "$@"; fi
fi
[ "$name" ] || no "there is no user with the number $id, and no setpriv"
command -v su >/dev/null 2>&1 || no 'there is neither setpriv nor su in the container'
exec su -s ${shellPath} -c "$t" "$name"
`

/** Ends the process group PID and all that is below PID: asked first, killed when that does not help within a second. */
const endScript = `
tree() {
  for f in /proc/[0-9]*/stat; do
    { IFS= read -r l < "$f"; } 2>/dev/null || continue
    p=\${l%% *} l=\${l##*) }
    l=\${l#* }
    all="$all $p:\${l%% *}"
  done
  known=" $1 " more=1
  while [ "$more" ]; do
    more=
    for x in $all; do
      case $known in *" \${x%:*} "*) continue;; esac
      case $known in *" \${x#*:} "*) known="$known\${x%:*} " more=1;; esac
    done
  done
}
tree "$1"
kill -s TERM -- "-$1" $known 2>/dev/null
n=
while [ "\${#n}" -lt 20 ]; do
  some=
  for p in $known; do kill -s 0 "$p" 2>/dev/null && some=1; done
  [ "$some" ] || exit 0
  n=x$n
  sleep 0.05 2>/dev/null || { sleep 1; break; }
done
kill -s KILL -- "-$1" $known 2>/dev/null
exit 0
`

/** How long ending a command may take, in milliseconds. */
const endMs = 15_000

export interface RemoteCommand {
  readonly command: Command
  /** By name or number; undefined = the container's. */
  readonly user: string | undefined
  /** Of the container, for messages. */
  readonly name: string
}

/**
 * Run a command to its end. Output comes in whole lines; aborting ends the command and rejects when that is done.
 * @throws DevloopError sync/no-shell, sync/disconnected, run/failed where it cannot run as that user
 */
export async function runRemote(
  exec: OpenExec,
  { command, user, name }: RemoteCommand,
  onLine: (line: string) => void,
  signal: AbortSignal,
): Promise<{ exitCode: number }> {
  const argv = typeof command === 'string' ? [shellPath, '-c', command] : command
  const asUser = user === undefined ? argv : [shellPath, '-c', userScript, 'sh', user, argv.map(shellWord).join(' '), ...argv]
  const stream = await exec([shellPath, '-c', startScript, 'sh', ...asUser], { stdin: false, signal })
  let pid: string | undefined
  let started: () => void = () => {}
  const known = new Promise<void>((resolve) => (started = resolve))
  readLines(stream.stdout, (line) => {
    if (pid === undefined) {
      pid = line.trim()
      started()
    } else onLine(line)
  })
  let refused: string | undefined
  readLines(stream.stderr, (line) => {
    if (user !== undefined && line.startsWith('devloop: user: ')) refused = line.slice('devloop: user: '.length)
    else onLine(line)
  })

  let ending: Promise<void> | undefined
  const onAbort = (): void => {
    ending ??= (async () => {
      await Promise.race([known, stream.ended])
      if (pid === undefined || !/^\d+$/.test(pid)) return
      await runQuietly(exec, [shellPath, '-c', endScript, 'sh', pid])
      await Promise.race([stream.ended, after(1_000)])
    })()
      .catch(() => {})
      .finally(() => stream.close())
  }
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  try {
    const end = await stream.ended
    if (signal.aborted) {
      await ending
      throw abortError(signal)
    }
    if (end.kind === 'failed') throw end.error
    if (refused !== undefined && end.exitCode === 126) throw noUser(user ?? '', name, refused)
    return { exitCode: end.exitCode }
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/** What is said when a command cannot run as the user of its rule. */
export const noUser = (user: string, name: string, why: string): DevloopError =>
  new DevloopError('run/failed', `The command cannot run as user ${user} in ${name}.`, {
    why,
    help: 'Leave `user` out to run it as the container does, name another, or let the container run as root.',
  })

async function runQuietly(exec: OpenExec, argv: readonly string[]): Promise<void> {
  const timeout = AbortSignal.timeout(endMs)
  const stream = await exec(argv, { stdin: false, signal: timeout })
  stream.stdout.resume()
  stream.stderr.resume()
  await Promise.race([stream.ended, new Promise((resolve) => timeout.addEventListener('abort', resolve, { once: true }))])
  stream.close()
}

const after = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms).unref())

/** What an aborted operation rejects with. */
export function abortError(signal: AbortSignal): Error {
  const reason: unknown = signal.reason
  return reason instanceof Error ? reason : new DOMException('The operation was aborted.', 'AbortError')
}
