// Secrets in what is to be sent to somebody.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { planShape, planValues } from '../../../src/daemon/dump/plan-shape.js'
import { hidden, redactCode, redactText, redactValue } from '../../../src/daemon/dump/redact.js'
import type { Plan } from '../../../src/model/plan.js'
import { appSpec, imageSpec } from '../../support/states.js'

/** Longer than any word that stands around it, and of what tokens are made of. */
const secret = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.~-]{15,40}$/)

test('whatever a secret is, it is found by what stands before it', () => {
  const places: readonly ((value: string) => string)[] = [
    (value) => `Authorization: Bearer ${value}`,
    (value) => `postgres://ann:${value}@db:5432/shop could not be reached`,
    (value) => `the DB_PASSWORD=${value} was refused`,
    (value) => `--token=${value} --quiet`,
    (value) => `{"registry":{"password":"${value}"}}`,
    (value) => `  client-key-data: ${Buffer.from(value).toString('base64')}`,
    (value) => `const apiKey = '${value}'`,
    (value) => `-----BEGIN RSA PRIVATE KEY-----\n${value}\n-----END RSA PRIVATE KEY-----`,
    (value) => `cut off: -----BEGIN PRIVATE KEY-----\n${value}`,
  ]
  fc.assert(
    fc.property(secret, fc.constantFrom(...places), (value, place) => {
      const clean = redactText(place(value))
      expect(clean).toContain(hidden)
      expect(clean).not.toContain(value)
      expect(clean).not.toContain(Buffer.from(value).toString('base64'))
    }),
    { numRuns: 2000 },
  )
})

test('code stays code, and ordinary words stay', () => {
  const code = `import { app, generated, secret } from 'devloop'
const password = generated('db-password')
const token = process.env.TOKEN
export const db = app('db', { image: 'postgres:16', env: { POSTGRES_PASSWORD: password } })
const keys = { apiKey: "quoted \\" \${x} text", other: 'shown' }`
  expect(redactCode(code)).toBe(code.replace(/"quoted.*text"/, `"${hidden}"`))
  for (const text of ['nothing listens on port 8080', 'https://registry.example.com/v2/', 'the monkey: a key', 'tokens: 3'])
    expect(redactText(text)).toBe(text)
})

test('values by the names of their fields, and behind options', () => {
  const redact = (text: string): string => text
  expect(
    redactValue({ token: 'x', tokenFile: '/t', items: [{ password: 'y', name: 'z' }], secret: { name: 'kept' } }, redact),
  ).toEqual({ token: hidden, tokenFile: '/t', items: [{ password: hidden, name: 'z' }], secret: { name: 'kept' } })
  expect(redactValue(['--token', 'abc', '--name', 'x', '--password', '--quiet'], redact)).toEqual([
    '--token',
    hidden,
    '--name',
    'x',
    '--password',
    '--quiet',
  ])
})

test('no value of a plan is in its shape; names, rules and references are', () => {
  const at = { file: '/p/Devloopfile.ts', line: 3 }
  const common = { needs: [], rebuildAfter: [], labels: [], auto: true, trigger: 'auto', enabled: true, forward: [], at } as const
  fc.assert(
    fc.property(fc.uniqueArray(secret, { minLength: 8, maxLength: 8 }), (values) => {
      const [a = '', b = '', c = '', d = '', e = '', f = '', g = '', h = ''] = values
      const plan = {
        name: 'shop',
        file: '/p/Devloopfile.ts',
        root: '/p',
        cluster: { contexts: [] },
        images: { web: imageSpec('web', { args: { KEY: a }, build: { command: 'make', cwd: '/p', env: { X: b } } }) },
        resources: {
          web: appSpec('web', {
            env: {
              ONE: [
                { kind: 'literal', text: c },
                { kind: 'address', resource: 'db', part: 'host' },
              ],
            },
            args: ['--flag', d],
          }),
          objects: {
            kind: 'manifests',
            name: 'objects',
            images: [],
            objects: [
              { object: { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', annotations: { n: e } }, data: { k: f } } },
            ],
            ...common,
          },
          chart: {
            kind: 'helm',
            name: 'chart',
            images: [],
            chart: { path: '/p/chart' },
            releaseName: 'chart',
            values: [{ inline: { kind: 'config', key: g, deep: [{ kind: 'generated', name: h }] } }],
            set: { 'a.b': g },
            ...common,
          },
        },
      } as unknown as Plan
      const text = JSON.stringify(planShape(plan))
      for (const value of values) expect(text).not.toContain(value)
      for (const kept of [
        '"kind":"sync","from":"src"',
        '"kind":"address","resource":"db"',
        '"name":"s"',
        'Devloopfile.ts',
        '/p/chart',
      ])
        expect(text).toContain(kept)
      expect([...planValues(plan)]).toEqual(expect.arrayContaining([...values]))
    }),
    { numRuns: 100 },
  )
})
