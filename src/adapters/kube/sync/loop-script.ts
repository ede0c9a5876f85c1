// The program of the shell loop: what runs in the container, on nothing but the image's own shell and tools.

/** Prefix of everything that is written beside and renamed; left-overs with it are swept. */
export const temporaryPrefix = '.devloop-'

/** Prefix of parts of large files that were set aside when a stream was cut; the sha256 of the whole file follows. As the agent's. */
export const partPrefix = `${temporaryPrefix}part-`

/** Tools that the loop asks for; `mv` is the one that it cannot do without. */
export const knownTools = [
  'mv',
  'rm',
  'mkdir',
  'rmdir',
  'ln',
  'chmod',
  'head',
  'wc',
  'tar',
  'cat',
  'dd',
  'sha256sum',
  'stat',
  'readlink',
  'ls',
  'find',
  'nice',
  'id',
] as const

export type Tool = (typeof knownTools)[number]

/**
 * For any POSIX shell; arguments: KEY (unguessable, marks answers), SESSION (suffix of temporary names).
 *
 * Each frame is one line of shell code, which may take bytes that follow it from the same input; the answer is whatever was printed,
 * then `\x1eKEY STATUS\n`. The sender waits for the answer before the next frame, because `head` may swallow what follows. After a
 * status other than 0 the input is skipped up to a line that ends in `KEY resync`. A frame sets `$@` to its temporary files: they are
 * removed when it fails, and when the input ends in the middle. Only `mv` and the tools that a frame needs are forked: everything
 * else is done by what the shell has built in.
 */
export const loopScript = `# devloop shell loop
# the runtime ends the input when one of the outputs is closed, so the first stderr is kept open
exec 9>&2 2>&1
K=$1 D=${temporaryPrefix}$2
N='
'
S= R= P=
unset CDPATH IFS
LC_ALL=C PATH=\${PATH:+$PATH:}/usr/local/bin:/usr/bin:/bin
export LC_ALL PATH
umask 022
trap '' PIPE

# ROOT FOLDER...: folders below the root on the way to what is written. What is there instead of a folder is removed; a link that
# leads out of the root is refused.
check() {
  R=$1
  for f do
    if [ ! -L "$f" ]; then
      [ -d "$f" ] && continue
      [ ! -e "$f" ] || rm -f "$f" || return
    elif [ "$f" = "$R" ]; then continue
    elif [ -d "$f" ]; then inside "$f" || return
    else rm -f "$f" || return
    fi
  done
}
inside() {
  a=$(cd -P "$1" && pwd -P) && b=$(cd -P "$R" && pwd -P) || return
  [ "$b" != / ] || return 0
  case $a in "$b"|"$b"/*) return 0;; esac
  printf 'devloop: link out: %s -> %s\\n' "$1" "$a"
  return 1
}
# FOLDER NAME UMASK MODE BYTES: a small file
put() {
  [ -d "$1/" ] || mkdir -p "$1" || return
  write "$1/$D" "$3" "$4" "$5" && place "$1" "$2"
}
# PATH UMASK MODE BYTES
write() {
  umask "$2"
  # what a builtin cannot write, it does not explain: cat does
  { printf %b "$4" > "$1"; } 2>/dev/null || printf %b "$4" | cat > "$1" || { umask 022; return 1; }
  umask 022
  [ -z "$3" ] || chmod "$3" "$1"
}
# FOLDER NAME UMASK MODE SIZE: a file whose bytes follow
take() {
  [ -d "$1/" ] || mkdir -p "$1" || return
  umask "$3"
  head -c "$5" > "$1/$D" || { umask 022; explain "$1/$D"; return 1; }
  umask 022
  # the input may have ended in the middle
  [ "$(wc -c < "$1/$D")" -eq "$5" ] || return
  [ -z "$4" ] || chmod "$4" "$1/$D" || return
  place "$1" "$2"
}
# FOLDER UMASK PART: begin a large file, which more frames bring. Of what an earlier loop has set aside as PART, size and hash are told;
# whoever renames it has it.
begin() {
  [ -d "$1/" ] || mkdir -p "$1" || return
  S=$1/$D P=$3
  if [ "$P" ] && [ -f "$1/$P" ] && [ ! -L "$1/$P" ] && mv -f "$1/$P" "$S" 2>/dev/null; then
    printf 'devloop: part %s ' "$(wc -c < "$S")" && sha256sum < "$S"
    return
  fi
  umask "$2"
  printf '' > "$S" || { umask 022; return 1; }
  umask 022
}
# The input has ended in the middle: what came is kept for another loop, unless it is little
aside() {
  if [ "$P" ] && [ "$(wc -c < "$S")" -ge 1048576 ] && mv -f "$S" "\${S%/*}/$P"; then return; fi
  rm -f "$S"
}
# SIZE: more bytes of it follow
more() { head -c "$1" >> "$S" || { explain "$S"; return 1; }; }
# FILE: some heads only say that there was an error; while the disk is still full, cat says which
explain() { printf x | cat >> "$1"; }
# BYTES
more_inline() { { printf %b "$1" >> "$S"; } 2>/dev/null || printf %b "$1" | cat >> "$S"; }
# FOLDER NAME MODE: all of it is there
finish() {
  [ -z "$3" ] || chmod "$3" "$S" || return
  place "$1" "$2" && S=
}
# FOLDER NAME TARGET
link() {
  [ -d "$1/" ] || mkdir -p "$1" || return
  ln -s -- "$3" "$1/$D" && place "$1" "$2"
}
# FOLDER NAME: the temporary becomes what it is to be. mv would go into a folder, or follow a link to one.
place() {
  if [ -d "$1/$2" ]; then
    if [ -L "$1/$2" ]; then
      mkdir "$1/$D-" && mv -f "$1/$D" "$1/$D-/$2" && mv -f "$1/$D-/$2" "$1/" && rmdir "$1/$D-"
      return
    fi
    clear "$1/$2" || return
  fi
  mv -f "$1/$D" "$1/$2"
}
# PATH: a folder in the way of a file
clear() {
  if [ "$1" = "$R" ]; then printf 'devloop: root is a folder: %s\\n' "$1"; return 1; fi
  rm -rf "$1"
}
# SIZE HIDDEN STAGE...: a tar follows, whose files stand in one staging folder in each of their folders
unpack() {
  n=$1 h=$2
  shift 2
  head -c "$n" | tar -xompf - -C / && settle "$h" "$@"
}
# HIDDEN STAGE...: what stands in the staging folders becomes what it is to be, with one mv for each folder
settle() {
  h=$1
  shift
  for x do
    [ -z "$h" ] || { hidden "$x" || return; some "$x"/* || continue; }
    mv -f "$x"/* "\${x%/*}/" 2>/dev/null || one_by_one "$x" || return
  done
  rmdir "$@"
}
some() { [ -e "$1" ] || [ -L "$1" ]; }
hidden() {
  for y in "$1"/.[!.]* "$1"/..?*; do
    some "$y" || continue
    move "$y" "\${1%/*}" || return
  done
}
one_by_one() {
  for y in "$1"/*; do move "$y" "\${1%/*}" || return; done
}
move() {
  z=$2/\${1##*/}
  if [ -d "$z" ] && [ ! -L "$z" ]; then clear "$z" || return; fi
  mv -f "$1" "$2/"
}
# NUMBER TEMPORARY PATH HELD: the path gets what the temporary is, or is removed without one, as long as it holds that: the hash of a file,
# \`-> TARGET\` of a link, \`->\` for any, or nothing. What is there is moved away first and looked at then, so that nothing is lost that came in the last
# moment. Says the number of what was left alone.
swap() {
  t=\${3%/*}/$D~ h=
  if [ -L "$3" ] || { [ -e "$3" ] && [ ! -d "$3" ]; }; then
    if [ -z "$4" ] || ! mv -f "$3" "$t" 2>/dev/null; then kept "$1" "$2"; return 0; fi
    if [ -L "$t" ]; then h='->'; [ "$4" = "$h" ] || h="-> $(readlink "$t")"; else h=$(sha256sum < "$t"); h=\${h%% *}; fi
    if [ "$h" != "$4" ]; then
      if [ -L "$3" ] || [ -e "$3" ]; then rm -f "$t"; else mv -f "$t" "$3"; fi
      kept "$1" "$2"
      return 0
    fi
  elif [ -d "$3" ]; then
    if [ -n "$4" ] || ! rmdir "$3" 2>/dev/null; then kept "$1" "$2"; return 0; fi
  elif [ -n "$4" ]; then kept "$1" "$2"; return 0
  fi
  if [ -n "$2" ]; then named_anew "$2" "$3" || kept "$1" "$2"; fi
  [ -z "$h" ] || rm -f "$t"
  return 0
}
kept() { printf 'kept %s\\n' "$1"; [ -z "$2" ] || rm -f "$2"; }
# TEMPORARY PATH: only where nothing is. A link to a link would be one to what that leads to.
named_anew() {
  if [ ! -L "$1" ] && ln "$1" "$2" 2>/dev/null; then rm -f "$1"; return 0; fi
  if [ -e "$2" ] || [ -L "$2" ]; then return 1; fi
  mv -f "$1" "$2"
}
# LABEL FOLDER...: fails, and says which, when some are links
no_links() {
  k=$1 a=0 n=0
  shift
  for f do
    if [ -L "$f" ]; then printf 'devloop: link %s %s\\n' "$k" "$n"; a=1; fi
    n=$((n+1))
  done
  return "$a"
}
# PATH...: remove what is no folder
remove() {
  n=0 l=
  for f do
    n=$((n+1))
    if [ -L "$f" ] || { [ -e "$f" ] && [ ! -d "$f" ]; }; then l="$l \\"\\\${$n}\\""; fi
  done
  [ -z "$l" ] || eval "rm -f $l"
}
# HASH(sha256sum or nothing) KIND(stat, ls) PATH...: what is there
inspect() {
  h=$1 k=$2
  shift 2
  n=0 l= all= links=
  for f do
    n=$((n+1))
    if [ -L "$f" ]; then links="$links $n"
    elif [ -f "$f" ]; then l="$l \\"\\\${$n}\\""
    else continue
    fi
    all="$all \\"\\\${$n}\\""
  done
  [ "$all" ] || return 0
  case $k in
    stat) eval "stat -c '%f %s %n' $all";;
    *) eval "ls -ldn $all";;
  esac
  [ -z "$h" ] || [ -z "$l" ] || eval "sha256sum $l"
  for n in $links; do
    eval "f=\\\${$n}"
    printf '\\035%s ' "$((n-1))"
    if [ "$k" = stat ]; then readlink "$f"; else ls -ld "$f"; fi
    printf '\\035'
  done
  return 0
}
# INDEX HASH KIND PATH: the same for one whose name would confuse the lists above
inspect_one() {
  printf '\\034%s ' "$1"
  if [ -L "$4" ]; then
    printf '\\035'
    if [ "$3" = stat ]; then readlink "$4"; else ls -ld "$4"; fi
  elif [ -f "$4" ]; then
    if [ "$3" = stat ]; then stat -c '%f %s' "$4"; else ls -ldn "$4"; fi
    [ -z "$2" ] || sha256sum < "$4"
  fi
  printf '\\034'
  return 0
}
# The supervisor of this container: W its process id, C its name, devloop:CHILD
supervisor() {
  if named 1; then return; fi
  { IFS= read -r own < /proc/self/cgroup; } 2>/dev/null
  for f in /proc/[0-9]*; do
    named "\${f#/proc/}" || continue
    { IFS= read -r its < "$f/cgroup"; } 2>/dev/null
    [ "$its" = "$own" ] && return
  done
  return 1
}
named() {
  { IFS= read -r C < "/proc/$1/comm"; } 2>/dev/null || return
  W=$1
  case $C in devloop:[0-9]*) return 0;; esac
  return 1
}
# Whether the child of supervisor W has become the program it is to be; prints the supervisor's name
started() {
  named "$W" || return
  a=
  { IFS= read -r a < "/proc/\${C#devloop:}/comm"; } 2>/dev/null
  case $a in devloop*) ;; *) printf '%s\\n' "$C";; esac
  return 0
}
# SIZE: code follows; it ends in a mark, because the input may end in the middle
block() {
  a=$(head -c "$1")
  case $a in *"#$K") ;; *) return 1;; esac
}

set --
has=
for f in ${knownTools.join(' ')}; do
  command -v "$f" >/dev/null 2>&1 && has="$has $f"
done
printf '\\036%s 0%s\\n' "$K" "$has"
while IFS= read -r line; do
  eval "$line"
  r=$?
  if [ "$r" != 0 ]; then
    [ $# = 0 ] || rm -rf "$@"
    [ -z "$S" ] || { rm -f "$S"; S=; }
  fi
  set --
  printf '\\036%s %s\\n' "$K" "$r"
  [ "$r" = 0 ] || while IFS= read -r line || exit 0; do
    case $line in *"$K resync") break;; esac
  done
done
[ $# = 0 ] || rm -rf "$@"
[ -z "$S" ] || aside
`
