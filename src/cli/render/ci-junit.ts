// The report of `devloop ci` as JUnit XML, as CI systems read it: a test case for each resource, and one for each other problem.
import type { ErrorInfo } from '../../errors/devloop-error.js'
import type { CiReport, CiResource } from '../../protocol/messages.js'
import { errorText } from '../../client/status/error-text.js'

export function ciJunit(report: CiReport, tailOf: (resource: string) => readonly string[]): string {
  const { project, problems, resources, startedAt, durationMs } = report
  const bad = (one: CiResource): boolean => one.outcome === 'failed' || one.outcome === 'waiting'
  const counts = {
    tests: resources.length + problems.length,
    failures: resources.filter((one) => one.outcome === 'failed').length,
    errors: problems.length + resources.filter((one) => one.outcome === 'waiting').length,
    skipped: resources.filter((one) => one.outcome === 'skipped').length,
    time: seconds(durationMs),
  }
  const suite = project === '' ? 'devloop' : project
  const cases = [
    ...problems.map((error) => testCase(suite, 'devloop', 0, problemElement('error', error))),
    ...resources.map((one) => {
      const output = bad(one) ? tailOf(one.name) : []
      const told = output.length > 0 ? `<system-out>${text(output.join('\n'))}</system-out>` : ''
      return testCase(suite, one.name, one.readyMs ?? (bad(one) ? durationMs : 0), outcomeElement(one) + told)
    }),
  ]
  const timestamp = new Date(startedAt).toISOString().slice(0, 19)
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes({ name: 'devloop ci', ...counts })}>`,
    `  <testsuite${attributes({ name: suite, ...counts, timestamp })}>`,
    ...cases.map((one) => `    ${one}`),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n')
}

function testCase(suite: string, name: string, ms: number, inner: string): string {
  const open = `<testcase${attributes({ classname: suite, name, time: seconds(ms) })}`
  return inner === '' ? `${open}/>` : `${open}>${inner}</testcase>`
}

function outcomeElement({ outcome, error, reason = '' }: CiResource): string {
  if (outcome === 'failed' && error) return problemElement('failure', error)
  if (outcome === 'waiting') return `<error${attributes({ type: 'not-ready', message: reason })}/>`
  if (outcome === 'skipped') return `<skipped${attributes({ message: reason })}/>`
  return ''
}

const problemElement = (element: 'failure' | 'error', error: ErrorInfo): string =>
  `<${element}${attributes({ type: error.code, message: error.message })}>${text(errorText(error))}</${element}>`

const seconds = (ms: number): string => (ms / 1000).toFixed(3)

const attributes = (all: Readonly<Record<string, string | number>>): string =>
  Object.entries(all)
    .map(([key, value]) => ` ${key}="${text(String(value)).replaceAll('\n', '&#10;')}"`)
    .join('')

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

/** Escaped, and without the characters that XML cannot hold. */
const text = (value: string): string =>
  value
    .replaceAll(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd')
    // eslint-disable-next-line no-control-regex
    .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')
    .replaceAll(/[&<>"]/g, (character) => escapes[character] ?? character)
