// A plan without what was written into it: names, kinds, rules and references stay, values of variables and objects go.
import type { Plan } from '../../model/plan.js'

/** What is below a field: nothing of somebody's own, texts with their parts, or anything at all. */
type Own = 'no' | 'texts' | 'anything'

/** Fields all of whose texts are somebody's own: variables, build arguments, a chart's values, what is sent to an app. */
const ownFields = new Map<string, Own>([
  ['env', 'texts'],
  ['values', 'texts'],
  ...['args', 'set', 'inline', 'data', 'stringData', 'body'].map((name) => [name, 'anything'] as const),
])
/** Of the parts of texts, those that only refer to something. */
const references = new Set(['generated', 'sealed', 'config', 'address'])

/** What was taken out, and how long it was. */
const cut = (text: string): string => `[${text.length} characters]`

/** JSON. */
export const planShape = (plan: Plan): unknown => shape(plan, 'no', () => {})

/** The texts that `planShape` takes out, each once. */
export function planValues(plan: Plan): ReadonlySet<string> {
  const found = new Set<string>()
  shape(plan, 'no', (text) => found.add(text))
  return found
}

function shape(value: unknown, own: Own, onCut: (text: string) => void): unknown {
  if (typeof value === 'string') {
    if (own === 'no') return value
    onCut(value)
    return cut(value)
  }
  if (typeof value !== 'object' || value === null) return own === 'anything' && value !== null ? '[a value]' : value
  if (Array.isArray(value)) return value.map((item) => shape(item, own, onCut))
  const kind = 'kind' in value ? value.kind : undefined
  if (kind === 'literal' && 'text' in value) {
    onCut(String(value.text))
    return { kind, text: cut(String(value.text)) }
  }
  if (own === 'texts' && typeof kind === 'string' && references.has(kind)) return value
  if ('apiVersion' in value && 'metadata' in value) return objectShape(value, onCut)
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name,
      shape(item, own === 'anything' ? own : (ownFields.get(name) ?? own), onCut),
    ]),
  )
}

/** Of a Kubernetes object, which it is. */
function objectShape(object: object, onCut: (text: string) => void): unknown {
  const { apiVersion, kind, metadata, ...rest } = object as Readonly<Record<string, unknown>>
  const { name, namespace, ...more } = (metadata ?? {}) as Readonly<Record<string, unknown>>
  shape([more, rest], 'anything', onCut)
  return { apiVersion, kind, metadata: { name, namespace } }
}
