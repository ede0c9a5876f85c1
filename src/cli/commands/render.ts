// `devloop render`: what would be applied, as YAML or JSON.
import { choicesOf, type ChoiceOptions } from '../choices.js'
import { exitCodes } from '../exit.js'
import { findDevloopfile } from '../find-devloopfile.js'
import { interruptible } from '../interrupted.js'
import { printJson } from '../print-json.js'

export interface RenderOptions extends ChoiceOptions {
  readonly file?: string
  readonly context?: string
  readonly namespace?: string
  readonly json?: boolean
}

/**
 * @param resources names and `label:NAME`; none = all
 * @param args for the Devloopfile
 */
export async function render(resources: readonly string[], args: readonly string[], options: RenderOptions): Promise<number> {
  const file = findDevloopfile(options.file)
  const { asYaml, renderObjects } = await import('../../daemon/preview.js')
  return interruptible(async (signal) => {
    const objects = await renderObjects({ ...options, file, resources, args, choices: choicesOf(options) }, note, signal)
    if (options.json) printJson({ apiVersion: 'v1', kind: 'List', items: objects })
    else process.stdout.write(asYaml(objects))
    return exitCodes.ok
  })
}

const note = (text: string): void => void process.stderr.write(`devloop: ${text}\n`)
