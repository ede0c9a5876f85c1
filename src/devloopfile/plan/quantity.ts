// Amounts as Kubernetes writes them.
import type { Encoded } from '../declaration.js'
import { string, wrong, type Subject } from './fields.js'

const form = /^\d+(?:\.\d+)?(?:m|[kMGTPE]i?|Ki)?$/

/** A Kubernetes quantity, as it was given. */
export function quantity(subject: Subject, path: string, value: Encoded): string | undefined {
  const amount = string(subject, path, value)
  if (amount !== undefined && !form.test(amount)) wrong(subject, path, "a Kubernetes quantity such as '4' or '8Gi'", amount)
  return amount
}
