// What the agent tells about an entry.
import type { Wanted } from '../../../../model/tree.js'
import { factKinds, type FieldReader } from './frames.js'

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
