// `devloop render`: what would be applied, as YAML.
import { choicesOf, type ChoiceOptions } from '../choices.js'
import { exitCodes } from '../exit.js'
import { findDevloopfile } from '../find-devloopfile.js'
import { onInterrupt } from '../interrupted.js'

export interface RenderOptions extends ChoiceOptions {
  readonly file?: string
  readonly context?: string
  readonly namespace?: string
}

/**
 * @param resources names and `label:NAME`; none = all
 * @param args for the Devloopfile
 */
export async function render(resources: readonly string[], args: readonly string[], options: RenderOptions): Promise<number> {
  const file = findDevloopfile(options.file)
  const { renderObjects } = await import('../../daemon/preview.js')
  const abort = new AbortController()
  const end = onInterrupt(() => abort.abort())
  try {
    process.stdout.write(
      await renderObjects({ ...options, file, resources, args, choices: choicesOf(options) }, note, abort.signal),
    )
    return exitCodes.ok
  } catch (thrown) {
    if (abort.signal.aborted) return exitCodes.interrupted
    throw thrown
  } finally {
    end()
  }
}

const note = (text: string): void => void process.stderr.write(`devloop: ${text}\n`)
