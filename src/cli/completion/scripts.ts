// What a shell runs when somebody presses Tab: it asks `devloop complete` with the words so far, and gets a word a line.

/** `devloop complete` prints these in place of a word: the shell adds paths. */
export const pathLines = { files: ':files', folders: ':folders' } as const

const bash = `# Completion of devloop for bash: source <(devloop completion bash)
_devloop() {
  local rest="\${COMP_LINE:0:COMP_POINT}" before word value prefix part i count=0
  local -a words=()
  # bash takes words apart at : and =, which belong to words here
  for ((i = 0; i <= COMP_CWORD; i++)); do
    before="\${rest%%[![:space:]]*}"
    rest="\${rest#"$before"}"
    if ((i == COMP_CWORD)); then word="$rest"; else word="\${COMP_WORDS[i]}"; fi
    rest="\${rest#"$word"}"
    if ((count > 0)) && [[ -z $before ]]; then
      words[count - 1]+="$word"
    else
      words[count]="$word"
      count=$((count + 1))
    fi
  done
  word="\${words[count - 1]}"
  # what stands before the last break stays where it is
  for part in : =; do
    if [[ $COMP_WORDBREAKS == *"$part"* && $word == *"$part"* ]]; then
      value="\${word%"\${word##*"$part"}"}"
      if ((\${#value} > \${#prefix})); then prefix="$value"; fi
    fi
  done
  COMPREPLY=()
  while IFS=$'\\t' read -r value _; do
    case $value in
      :files)
        compopt -o filenames 2>/dev/null
        while IFS= read -r value; do COMPREPLY+=("$value"); done < <(compgen -f -- "$word")
        ;;
      :folders)
        compopt -o filenames 2>/dev/null
        while IFS= read -r value; do COMPREPLY+=("$value"); done < <(compgen -d -- "$word")
        ;;
      *)
        if [[ $value == *= ]]; then compopt -o nospace 2>/dev/null; fi
        COMPREPLY+=("\${value#"$prefix"}")
        ;;
    esac
  done < <("\${words[0]}" complete -- "\${words[@]:1}" 2>/dev/null)
}
complete -F _devloop devloop
`

const zsh = `#compdef devloop
# Completion of devloop for zsh: source <(devloop completion zsh), or as _devloop in a folder of $fpath
_devloop() {
  local line value description
  local -a described
  for line in "\${(@f)$(\${words[1]} complete -- "\${(@)words[2,CURRENT-1]}" "$PREFIX" 2>/dev/null)}"; do
    value="\${line%%$'\\t'*}"
    description="\${line#*$'\\t'}"
    case $value in
      '') ;;
      :files) _files ;;
      :folders) _files -/ ;;
      *=) compadd -S '' -- "$value" ;;
      *) described+=("\${value//:/\\\\:}:$description") ;;
    esac
  done
  (( \${#described} )) && _describe -t devloop devloop described
}
if [[ \${funcstack[1]} == _devloop ]]; then
  _devloop "$@"
else
  compdef _devloop devloop
fi
`

const fish = `# Completion of devloop for fish: devloop completion fish | source
function __devloop_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for line in ($words[1] complete -- $words[2..-1] "$current" 2>/dev/null)
        switch $line
            case :files
                __fish_complete_path "$current"
            case :folders
                __fish_complete_directories "$current"
            case '*'
                echo $line
        end
    end
end
complete -c devloop -f -a '(__devloop_complete)'
`

export const shells = ['bash', 'zsh', 'fish'] as const

/** By shell. */
export const completionScripts: Readonly<Record<(typeof shells)[number], string>> = { bash, zsh, fish }
