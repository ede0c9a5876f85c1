// What a command prints as JSON or YAML. Errors tell where it is wrong and never what stands there.
import { DevloopError } from '../../errors/devloop-error.js'
import type { ConfigValues } from '../../model/config-values.js'
import type { ConfigSpec } from '../../model/plan.js'

/** An object of names and values. What is no text, number or boolean becomes JSON text; null is left out. @throws DevloopError config/source */
export async function parseOutput(spec: ConfigSpec, format: 'json' | 'yaml', output: string): Promise<ConfigValues> {
  const problem = (message: string, help: string): DevloopError =>
    new DevloopError('config/source', `${spec.name}: what the command prints ${message}.`, { where: spec.at, help })
  let data: unknown
  if (format === 'json') {
    try {
      data = JSON.parse(output)
    } catch {
      throw problem('is no JSON', "Correct the command, or `format`: there are 'dotenv', 'yaml' and { key } too.")
    }
  } else {
    const { LineCounter, parseDocument } = await import('yaml')
    const lineCounter = new LineCounter()
    const document = parseDocument(output, { lineCounter, logLevel: 'silent' })
    const [error] = document.errors
    if (error) throw problem(`is no YAML (line ${lineCounter.linePos(error.pos[0]).line})`, 'Correct the command, or `format`.')
    data = document.toJS()
  }
  if (typeof data !== 'object' || data === null || Array.isArray(data))
    throw problem(
      `is no object of names and values in ${format.toUpperCase()}`,
      'Let it print an object, or use another `format`.',
    )
  const entries = Object.entries(data as Record<string, unknown>).flatMap(([name, value]) => {
    if (value === null || value === undefined) return []
    const text = typeof value === 'object' ? JSON.stringify(value) : String(value as string | number | boolean)
    return [[name, Buffer.from(text)] as const]
  })
  return new Map(entries)
}
