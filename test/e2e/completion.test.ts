// Completion in real shells, with the names of what runs.
import { execFile, spawnSync } from 'node:child_process'
import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { cli, put } from '../support/devloop.js'
import { wordApp, type WordApp } from '../support/word-app.js'

const has = (shell: string): boolean => spawnSync(shell, ['--version']).status === 0

/** What bash offers for a line with the cursor at its end, as Tab would: words are taken apart as readline does. */
const inBash = `
source <(devloop completion bash)
COMP_LINE="$1" COMP_POINT=\${#1}
# words, and the breaks of readline between them
rest="$1" COMP_WORDS=()
while [[ $rest =~ ^([[:space:]]*)([:=]+|[^[:space:]:=]+) ]]; do
  COMP_WORDS+=("\${BASH_REMATCH[2]}")
  rest="\${rest:\${#BASH_REMATCH[0]}}"
done
[[ $1 == *' ' ]] && COMP_WORDS+=("")
COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
_devloop devloop 2>&1
printf '%s\\n' "\${COMPREPLY[@]}"
`

/** What zsh offers: the functions of its completion system are replaced by ones that print. */
const inZsh = `
compdef() { :; }
source <(devloop completion zsh)
words=("\${(@s: :)1}") CURRENT=\${#words} PREFIX="\${words[-1]}"
_describe() { print -rl -- "\${(@P)4}"; }
_files() { print files; }
compadd() { print -r -- "\${@[-1]}"; }
_devloop || true
`

describe('completion', () => {
  let words: WordApp
  const complete = async (shell: 'bash' | 'zsh' | 'fish', line: string): Promise<string[]> => {
    const env = { ...process.env, ...words.env }
    const [script, args] = shell === 'bash' ? [inBash, ['bash', line]] : [inZsh, ['zsh', line]]
    const { stdout, stderr } = await promisify(execFile)(
      shell,
      shell === 'fish'
        ? ['--no-config', '-c', 'devloop completion fish | source; complete -C $argv[1]', line]
        : [...(shell === 'bash' ? ['--norc'] : ['-f']), '-c', script, ...args],
      { cwd: words.folder, env },
    )
    expect(stderr).toBe('')
    return stdout
      .split('\n')
      .filter(Boolean)
      .map((text) => (shell === 'zsh' ? text.replaceAll('\\:', '\t').split(':')[0]!.replaceAll('\t', ':') : text.split('\t')[0]!))
      .sort()
  }

  /** In one test, since a project ends with the test that made it. */
  const prepare = async (): Promise<void> => {
    words = await wordApp()
    const bin = join(words.folder, 'bin')
    await put(join(bin, 'devloop'), `#!/bin/sh\nexec ${process.execPath} ${cli} "$@"\n`)
    await chmod(join(bin, 'devloop'), 0o755)
    words.env.PATH = `${bin}:${process.env.PATH}`
    await words.save(
      'Devloopfile.ts',
      words.devloopfile({
        imports: "import { local } from 'devloop'",
        resources:
          "local('gen', { run: 'true', labels: ['tools', 'all'] }), local('web', { serve: 'sleep 3600', labels: ['all'] }),",
      }),
    )
  }

  const shells = (['bash', 'zsh', 'fish'] as const).filter(has)

  // some thirty command lines in each shell that is there
  test('of commands, options, values and what runs', { timeout: 180_000 }, async () => {
    expect(shells).toContain('bash')
    await prepare()
    for (const shell of shells) {
      expect(await complete(shell, 'devloop st')).toEqual(['status', 'stop'])
      expect(await complete(shell, 'devloop watch --ru')).toEqual(['--runtime'])
      expect(await complete(shell, 'devloop watch --runtime ')).toEqual(['kubernetes', 'process'])
      // nothing runs: nothing is offered, and nothing said
      expect(await complete(shell, 'devloop trigger ')).toEqual([])
    }
    const watching = await words.watch()
    await watching.ready()
    for (const shell of shells) {
      expect(await complete(shell, 'devloop trigger ')).toEqual(['gen', 'label:all', 'label:tools', 'web', 'words'])
      expect(await complete(shell, 'devloop trigger gen w')).toEqual(['web', 'words'])
      expect(await complete(shell, 'devloop logs -f -l ')).toEqual(['all', 'tools'])
      expect(await complete(shell, 'devloop help verif')).toEqual(['verify'])
    }
    // bash takes words apart at colons and equals signs: only what is behind the last one is replaced
    expect(await complete('bash', 'devloop trigger label:to')).toEqual(['tools'])
    expect(await complete('bash', 'devloop trigger label:')).toEqual(['all', 'tools'])
    expect(await complete('bash', 'devloop watch --runtime=p')).toEqual(['process'])
    expect(await complete('bash', 'devloop why Dev')).toEqual(['Devloopfile.ts'])
    for (const shell of shells.filter((one) => one !== 'bash'))
      expect(await complete(shell, 'devloop trigger label:to')).toEqual(['label:tools'])
  })
})
