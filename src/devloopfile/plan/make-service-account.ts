// Who an app's pods are to the API server.
import type { AccessRule, ServiceAccountSpec } from '../../model/plan.js'
import type { AccessRule as AccessRuleOptions, ServiceAccountOptions } from '../api/types.js'
import { isMark, type Encoded } from '../declaration.js'
import { annotations, boolean, broken, options, record, wrong, type Subject } from './fields.js'

const known: Record<keyof ServiceAccountOptions, true> = { rules: true, annotations: true, token: true }
const ruleKnown: Record<keyof AccessRuleOptions, true> = { apiGroups: true, resources: true, verbs: true, resourceNames: true }

/** Names of ServiceAccounts may have dots. */
const objectName = /^(?=.{1,253}$)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/

export function makeServiceAccount(subject: Subject, value: Encoded): ServiceAccountSpec | undefined {
  if (value === undefined) return undefined
  const what = 'the name of a ServiceAccount, or { rules, annotations, token }'
  if (typeof value === 'string') return objectName.test(value) ? { name: value } : wrong(subject, 'serviceAccount', what, value)
  if (isMark(value) || !record(value)) return wrong(subject, 'serviceAccount', what, value)
  const given = options(subject, 'serviceAccount', value, known)
  const rules = makeRules(subject, given.rules)
  const notes = annotations(subject, 'serviceAccount.annotations', given.annotations)
  return {
    token: boolean(subject, 'serviceAccount.token', given.token) ?? rules !== undefined,
    ...(rules ? { rules } : {}),
    ...(notes ? { annotations: notes } : {}),
  }
}

function makeRules(subject: Subject, value: Encoded): readonly AccessRule[] | undefined {
  if (value === undefined) return undefined
  const path = 'serviceAccount.rules'
  if (!Array.isArray(value) || value.length === 0) return wrong(subject, path, 'an array of rules', value)
  return value.flatMap((item: Encoded, index) => {
    const at = `${path}[${index}]`
    const given = options(subject, at, item, ruleKnown)
    if (isMark(item) || !record(item)) return []
    const resources = list(subject, `${at}.resources`, given.resources)
    const verbs = list(subject, `${at}.verbs`, given.verbs)
    const groups = given.apiGroups === undefined ? [''] : list(subject, `${at}.apiGroups`, given.apiGroups)
    const names = given.resourceNames === undefined ? undefined : list(subject, `${at}.resourceNames`, given.resourceNames)
    if (!resources || !verbs || !groups) return []
    if (names && verbs.includes('create'))
      broken(subject, `\`${at}\` cannot allow \`create\` by name.`, 'What is created has no name yet when rights are looked at.')
    return [{ apiGroups: groups, resources, verbs, ...(names ? { resourceNames: names } : {}) }]
  })
}

/** A list of strings, one at least; an empty string is the core group. */
const list = (subject: Subject, path: string, value: Encoded): readonly string[] | undefined =>
  Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string')
    ? value
    : wrong(subject, path, 'an array of strings', value)
