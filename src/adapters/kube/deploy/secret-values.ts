// The values that the Secrets among some objects hold.
import type { KubeObject } from '../../../model/plan.js'

/** By `SECRET/KEY`. */
export function secretValues(objects: readonly KubeObject[]): Readonly<Record<string, string>> {
  const values: Record<string, string> = {}
  for (const { apiVersion, kind, metadata, data, stringData } of objects) {
    if (kind !== 'Secret' || apiVersion !== 'v1') continue
    for (const [key, value] of entriesOf(data)) values[`${metadata.name}/${key}`] = Buffer.from(value, 'base64').toString()
    for (const [key, value] of entriesOf(stringData)) values[`${metadata.name}/${key}`] = value
  }
  return values
}

/** What is no text is refused by the cluster later. */
const entriesOf = (value: unknown): [string, string][] =>
  typeof value === 'object' && value !== null
    ? Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
    : []
