// The restart wrapper: runs a container's own command as a child of the image's shell, and starts it anew when it is asked to.

/**
 * The wrapper's program, for any POSIX shell; `$@` is the command to run. It
 * - passes signals on to the child and ends with the child's exit status (128 + n for signal n) when the child ends by itself;
 * - on SIGURG ends the child with everything below it (SIGTERM, SIGKILL on the next SIGURG) and starts the command again. No
 *   program takes SIGURG for anything, and a main process that is no wrapper ignores it;
 * - says which child it runs by its own name in /proc/PID/comm, `devloop:CHILD`: that is how the shell loop finds it and sees that
 *   a new child was started. It needs no writable folder.
 * It has no `$(` and no `$$`, which Kubernetes would replace in a pod's command.
 */
export const supervisorScript = `# devloop supervisor
read -r me rest < /proc/self/stat
# the command's own; what this shell has to say about processes that are gone is nobody's business
exec 3<&0 4>&2 2>/dev/null
child= stop= again= late= interrupted= tree= fifty=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx

find_tree() {
  all=
  for file in /proc/[0-9]*/stat; do
    IFS= read -r line < "$file" || continue
    pid=\${line%% *} line=\${line##*) }
    case $line in Z*) continue;; esac
    line=\${line#* }
    all="$all $pid:\${line%% *}"
  done
  known=" $me " tree= more=1
  while [ "$more" ]; do
    more=
    for pair in $all; do
      case $known in *" \${pair%:*} "*) continue;; esac
      case $known in *" \${pair#*:} "*) known="$known\${pair%:*} " tree="$tree \${pair%:*}" more=1;; esac
    done
  done
}

# Between fork and exec the child is still a shell, named as its parent is, in which a signal may get lost.
wait_for_exec() {
  turns=
  while [ "\${#turns}" -lt 999 ]; do
    read -r name < "/proc/$child/comm" || return
    case $name in devloop*) turns=x$turns;; *) return;; esac
  done
}

signal_tree() {
  for pid in $tree; do kill -s "$1" "$pid"; done
}

restart() {
  interrupted=1
  wait_for_exec
  before=$tree
  find_tree
  tree="$before$tree"
  if [ "$again" ]; then signal_tree KILL; else again=1; signal_tree TERM; fi
}

# A shell starts its background jobs with INT and QUIT ignored: a child that left it so gets TERM.
pass() {
  interrupted=1
  # between the fork and this shell's knowing of it
  [ "$child" ] || { late=$1; return; }
  wait_for_exec
  signal=$1 value=
  case $signal in INT|QUIT)
    while read -r key value; do [ "$key" = SigIgn: ] && break; done < "/proc/$child/status"
    case $signal$value in INT*[2367abef]|QUIT*[4567cdef]) signal=TERM;; esac;;
  esac
  kill -s "$signal" "$child"
}

# The old child is gone; what it started may still hold its ports.
wait_for_tree() {
  turns=
  while :; do
    left=
    for pid in $tree; do
      IFS= read -r line < "/proc/$pid/stat" || continue
      case \${line##*) } in Z*) continue;; esac
      left="$left $pid"
    done
    tree=$left turns=x$turns
    [ "$tree" ] && [ "\${#turns}" -lt 200 ] || return
    [ "\${#turns}" -lt 150 ] || signal_tree KILL
    sleep 0.02 || { sleep 1 && turns=$turns$fifty; } || return
  done
}

trap 'stop=1; pass TERM' TERM
trap 'stop=1; pass INT' INT
trap 'stop=1; pass QUIT' QUIT
trap 'pass HUP' HUP
trap 'pass USR1' USR1
trap 'pass USR2' USR2
trap 'pass WINCH' WINCH
trap restart URG

name_self() {
  printf 'devloop:%s' "$child" > /proc/self/comm
}

name_self
while [ ! "$stop" ]; do
  again= child=
  ( exec "$@" ) <&3 2>&4 3<&- 4>&- &
  child=$!
  [ ! "$late" ] || { signal=$late late=; pass "$signal"; }
  name_self
  status=
  while :; do
    interrupted=
    wait "$child"
    now=$?
    # 127: the wait before this one, which a signal interrupted, had got the status already
    [ "$now" = 127 ] && [ "$status" ] || status=$now
    [ "$interrupted" ] || break
  done
  [ "$again" ] || exit "$status"
  wait_for_tree
done
exit "\${status:-143}"
`

/**
 * A container's command under the wrapper. `original` is written as in a pod's \`command\` (entrypoint and arguments in one), and so is
 * the result, which takes the place of the container's \`command\`; it has no \`args\`. The image must have /bin/sh.
 */
export const superviseCommand = (original: readonly string[]): { readonly command: readonly string[] } => ({
  command: ['/bin/sh', '-c', supervisorScript, 'devloop', ...original],
})
