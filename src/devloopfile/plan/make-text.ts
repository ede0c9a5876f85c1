// Texts and environments.
import { isConfigKey } from '../../model/config-values.js'
import type { TextPart, TextValue } from '../../model/plan.js'
import { isMark, type DeclaredResource, type DeclaredTextPart, type Encoded } from '../declaration.js'
import { didYouMean, listed } from '../../errors/did-you-mean.js'
import { describeValue } from './describe-value.js'
import { configRef } from './config-ref.js'
import { called } from './names.js'
import { dnsLabel, record, wrong, type Subject } from './fields.js'
import type { PlanWork } from './work.js'

const variable = /^[-._a-zA-Z][-._a-zA-Z0-9]*$/

export function makeEnv(work: PlanWork, subject: Subject, value: Encoded): Record<string, TextValue> {
  if (value === undefined) return {}
  const given = record(value)
  if (!given) {
    wrong(subject, 'env', 'an object', value)
    return {}
  }
  const entries = Object.entries(given).map(([name, item]): [string, TextValue] => {
    if (!variable.test(name)) {
      const message = `${subject.name}: '${name}' cannot be the name of an environment variable.`
      work.problems.add('devloopfile/invalid', {
        message,
        at: subject.at,
        help: 'Use letters, digits and `_`, and no digit first.',
      })
    }
    return [name, makeText(work, subject, `env.${name}`, item)]
  })
  return Object.fromEntries(entries)
}

/** A text, or what stands for one: a string, number or boolean. */
export function makeText(work: PlanWork, subject: Subject, path: string, value: Encoded): TextValue {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return literal(String(value))
  if (value === undefined || value === null) {
    wrong(
      subject,
      path,
      'a string, number, boolean or text',
      value ?? null,
      'Leave the variable out, or give it a default with `??`.',
    )
    return []
  }
  if (isMark(value) && value.$devloop === 'text') return value.parts.flatMap((part) => makePart(work, subject, part))
  const found = isMark(value) && value.$devloop === 'resource' ? work.declaration.resources[value.index] : undefined
  wrong(subject, path, 'a string, number, boolean or text', value, found && behind(found))
  return []
}

const behind = ({ type, name }: DeclaredResource): string | undefined =>
  type === 'app'
    ? `Write \`.address\`, \`.host\` or \`.port\` behind ${called('app', name)}.`
    : type === 'config' || type === 'secret'
      ? `Write \`.at('KEY')\` behind ${called(type, name)}.`
      : undefined

const literal = (text: string): TextValue => (text === '' ? [] : [{ kind: 'literal', text }])

function makePart(work: PlanWork, subject: Subject, part: DeclaredTextPart): readonly TextPart[] {
  if (part.kind === 'literal') return [part]
  if (part.kind === 'sealed') return part.text === '' ? [] : [{ kind: 'sealed', id: work.sealed.id(part.text) }]
  if (part.kind === 'config') return makeConfigPart(work, subject, part)
  if (part.kind === 'generated') {
    const name = dnsLabel({ ...subject, name: 'generated', at: part.at }, 'name', part.name)
    return name === undefined ? [] : [{ kind: 'generated', name }]
  }
  const app = work.declaration.resources[part.resource]
  if (typeof app?.name !== 'string') return []
  const name = app.name
  const wanted = part.port
  work.later.push((made) => {
    const ports = made.ports.get(name) ?? []
    const where = part.at
    if (ports.length === 0) {
      const message = `The ${part.part} of ${called('app', name)} is asked for, but it has no port.`
      work.problems.add('devloopfile/invalid', {
        message,
        at: where,
        help: `Give ${called('app', name)} a \`port\`, or do not refer to it.`,
      })
    } else if (wanted !== undefined && !(typeof wanted === 'string' && ports.includes(wanted))) {
      const message = `${called('app', name)} has no port ${describeValue(wanted)}.`
      const help = (typeof wanted === 'string' ? didYouMean(wanted, ports) : undefined) ?? 'Use one of its port names.'
      work.problems.add('devloopfile/invalid', { message, why: `It has ${listed(ports)}.`, at: where, help })
    }
  })
  return [{ kind: 'address', resource: name, ...(typeof wanted === 'string' ? { port: wanted } : {}), part: part.part }]
}

function makeConfigPart(
  work: PlanWork,
  subject: Subject,
  part: Extract<DeclaredTextPart, { kind: 'config' }>,
): readonly TextPart[] {
  const ref = configRef(work, part.resource)
  if (!ref) return []
  const { key } = part
  const at: Subject = { ...subject, name: called(ref.secret ? 'secret' : 'config', ref.config), at: part.at }
  if (typeof key !== 'string' || !isConfigKey(key)) {
    wrong(at, 'at', 'given the name of a value', key)
    return []
  }
  work.later.push((made) => {
    const keys = made.configKeys.get(ref.config)
    if (!keys || keys.includes(key)) return
    work.problems.add('devloopfile/invalid', {
      message: `${at.name} has no value '${key}'.`,
      why: `It has ${listed(keys)}.`,
      at: part.at,
      help: didYouMean(key, keys) ?? 'Use one of its names.',
    })
  })
  return [{ kind: 'config', ...ref, key }]
}
