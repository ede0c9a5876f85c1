// `devloop diff`: what a deploy would change in the cluster.
import { isDevloopError, toErrorInfo } from '../../errors/devloop-error.js'
import { choicesOf } from '../choices.js'
import { exitCodes } from '../exit.js'
import { findDevloopfile } from '../find-devloopfile.js'
import { onInterrupt } from '../interrupted.js'
import { printJson } from '../print-json.js'
import { errorText } from '../../client/status/error-text.js'
import { plainStyle, terminalStyle } from '../render/style.js'
import { unifiedDiff } from '../render/unified-diff.js'
import type { RenderOptions } from './render.js'

/** As diff and kubectl have it: 1 says that there are differences, so that failures need a code of their own. */
const codes = { same: 0, different: 1, failure: 3 } as const

/**
 * @param resources names and `label:NAME`; none = all
 * @param args for the Devloopfile
 */
export async function diff(resources: readonly string[], args: readonly string[], options: RenderOptions): Promise<number> {
  const abort = new AbortController()
  const end = onInterrupt(() => abort.abort())
  try {
    const file = findDevloopfile(options.file)
    const { diffObjects } = await import('../../daemon/preview.js')
    const changes = await diffObjects({ ...options, file, resources, args, choices: choicesOf(options) }, note, abort.signal)
    const style = process.stdout.isTTY ? terminalStyle(process.env) : plainStyle
    const different = changes.flatMap(({ name, before, after, anew }) => {
      const text = unifiedDiff(before, after, style)
      const what = before === '' ? 'new' : after === '' ? 'deleted' : anew ? 'deleted and made anew' : 'changed'
      return text === '' && !anew ? [] : [{ name, what, before, after, text }]
    })
    if (options.json) printJson({ changes: different.map(({ text: _text, ...change }) => change) })
    else for (const { name, what, text } of different) process.stdout.write(`${style.bold(`${name} (${what})`)}\n${text}`)
    return different.length > 0 ? codes.different : codes.same
  } catch (thrown) {
    if (abort.signal.aborted) return exitCodes.interrupted
    if (!isDevloopError(thrown)) throw thrown
    note(errorText(toErrorInfo(thrown)))
    return codes.failure
  } finally {
    end()
  }
}

const note = (text: string): void => void process.stderr.write(`devloop: ${text}\n`)
