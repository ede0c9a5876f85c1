// Base images, and where they come from instead.
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeBases, readBases } from '../../../src/scaffold/bases.js'
import { project } from '../../support/devloop.js'

test('the version is what the sources ask for, else the one of the table', () => {
  expect(makeBases().image('node', '20')).toBe('docker.io/library/node:20-slim')
  expect(makeBases().image('node')).toBe(`docker.io/library/node:${makeBases().defaultVersion('node')}-slim`)
})

test("a mirror stands in place of the registry's host", () => {
  const bases = makeBases({ mirror: 'harbor.example.com/hub' })
  expect(bases.image('node', '20')).toBe('harbor.example.com/hub/library/node:20-slim')
  expect(bases.image('dotnet-run', '8.0')).toBe('harbor.example.com/hub/dotnet/aspnet:8.0')
})

test('what is named wins over the mirror, later tables over earlier ones', () => {
  const own = [{ node: 'a/node:1', python: 'a/python:{version}' }, { node: 'b/node:{version}' }]
  const bases = makeBases({ mirror: 'm', own })
  expect([bases.image('node', '20'), bases.image('python', '3.12')]).toEqual(['b/node:20', 'a/python:3.12'])
})

test('a name that no table has is an error that says what was meant', () => {
  expect(() => makeBases({ own: [{ nodee: 'x' }] })).toThrow("There is no base image named 'nodee'.")
  expect(() => makeBases({ mirror: 'https://x' })).toThrow("'https://x' is no place of images.")
})

test('the file of base images is YAML or JSON', async () => {
  const folder = await project({
    'a.yaml': 'node: x/node:{version}\n',
    'b.json': '{"go":"x/go:1"}',
    'c.yaml': '- a',
    'd.yaml': 'node: 7',
    'e.yaml': '{',
  })
  const read = (name: string, optional = false) => readBases(join(folder, name), optional)
  expect(read('a.yaml')).toEqual({ node: 'x/node:{version}' })
  expect(read('b.json')).toEqual({ go: 'x/go:1' })
  expect(read('none.yaml', true)).toBeUndefined()
  for (const name of ['c.yaml', 'd.yaml', 'e.yaml', 'none.yaml']) expect(() => read(name)).toThrow(`${name} cannot be used`)
})
