// What the agent tells about entries.
import type { Wanted } from '../../../../model/tree.js'
import { factKinds, readFields, type FieldReader } from './frames.js'

/** Undefined = it cannot be told. */
export function readFact(fields: FieldReader): Wanted | undefined {
  const kind = fields.byte()
  if (kind === factKinds.absent) return { kind: 'absent' }
  if (kind === factKinds.link) return { kind: 'link', target: fields.text() }
  if (kind !== factKinds.file) return undefined
  const mode = fields.number()
  const size = fields.long()
  return { kind: 'file', hash: fields.bytes(32).toString('hex'), mode, size }
}

/** The entries that a frame tells, each with its path. Undefined = it cannot be told. */
export function readEntries(
  body: Buffer,
  pathOf: (fields: FieldReader) => string,
): (readonly [path: string, held: Wanted | undefined])[] {
  const found: (readonly [string, Wanted | undefined])[] = []
  for (const fields = readFields(body); !fields.done;) found.push([pathOf(fields), readFact(fields)])
  return found
}
