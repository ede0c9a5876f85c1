// Trying a link by an exec in the consumer's container, with the tools that its image has: where no agent is at hand.
import { isAbort, isDevloopError } from '../../errors/devloop-error.js'
import type { Link, LinkOutcome } from '../../model/link.js'
import type { OpenExec } from './sync/exec-stream.js'
import { createLineReader } from './sync/output-lines.js'
import { shellPath } from './sync/remote-command.js'

/** For all of it. Milliseconds. */
const limitMs = 10_000

/** What the script says, each with the words that stand behind it on its last line. */
const said = { ok: 'ok', dns: 'dns', tcp: 'tcp', lacking: 'lacking' } as const

/**
 * $1 the host, $2 the port. The name first, where getent is; then a connection that nothing is sent through, by nc, or by bash. An nc
 * that does not know -z says so, which is no answer. Where getent is not, a name that is not known shows in what nc or bash say.
 */
const script = `
say() { printf '%s %s\\n' "$1" "$2"; exit 0; }
if command -v getent >/dev/null 2>&1; then getent hosts "$1" >/dev/null 2>&1 || say ${said.dns} "getent finds no address of $1"; fi
if command -v nc >/dev/null 2>&1; then
  if e=$(nc -z -w 5 "$1" "$2" </dev/null 2>&1); then say ${said.ok}; fi
  case $e in *nvalid\\ option*|*nrecognized\\ option*|*sage:*) ;; *) say ${said.tcp} "$e";; esac
fi
if command -v bash >/dev/null 2>&1; then
  if command -v timeout >/dev/null 2>&1; then t='timeout 5'; else t=; fi
  if e=$($t bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$1" "$2" 2>&1); then say ${said.ok}; fi
  say ${said.tcp} "$e"
fi
say ${said.lacking}
`

/** How resolvers tell that there is no such name. */
const unknownName =
  /bad address|name (?:or service )?(?:is )?not known|could not resolve|cannot resolve|name does not resolve|name resolution/i

/** Never rejects but with an AbortError: what cannot be tried is unknown. */
export async function reachByExec(exec: OpenExec, { host, port }: Link, signal: AbortSignal): Promise<LinkOutcome> {
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(), limitMs)
  const both = AbortSignal.any([signal, late.signal])
  try {
    const lines = await output(exec, [shellPath, '-c', script, 'sh', host, String(port)], both)
    return read(lines, port)
  } catch (thrown) {
    signal.throwIfAborted()
    if (isAbort(thrown)) return { state: 'unknown', why: `the container gave no answer within ${limitMs / 1000} s` }
    if (!isDevloopError(thrown)) throw thrown
    if (thrown.code === 'sync/no-shell')
      return { state: 'unknown', why: 'the container has neither the agent nor a shell to try it from' }
    return { state: 'unknown', why: thrown.info.why ?? thrown.message }
  } finally {
    clearTimeout(timer)
  }
}

async function output(exec: OpenExec, argv: readonly string[], signal: AbortSignal): Promise<readonly string[]> {
  const stream = await exec(argv, { stdin: false, signal })
  const close = (): void => stream.close()
  signal.addEventListener('abort', close, { once: true })
  try {
    const lines: string[] = []
    const reader = createLineReader((line) => lines.push(line))
    stream.stdout.on('data', (chunk: Buffer) => reader.push(chunk))
    stream.stderr.resume()
    const end = await stream.ended
    signal.throwIfAborted()
    if (end.kind === 'failed') throw end.error
    reader.end()
    return lines
  } finally {
    signal.removeEventListener('abort', close)
    stream.close()
  }
}

/** What came out; the words of a tool may have several lines. */
function read(lines: readonly string[], port: number): LinkOutcome {
  const [first = '', ...more] = lines
  const word = first.split(' ', 1)[0]
  const words = [first.slice((word ?? '').length), ...more]
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join(' ')
  if (word === said.ok) return { state: 'ok' }
  if (word === said.dns || unknownName.test(words)) return { state: 'failed', step: 'dns', why: words }
  if (word === said.tcp) return { state: 'failed', step: 'tcp', why: words || `nothing accepts connections on port ${port}` }
  return { state: 'unknown', why: 'the container has neither the agent nor nc or bash to try it with' }
}
