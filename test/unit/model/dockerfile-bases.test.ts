import { expect, test } from 'vitest'
import { dockerfileBases, withReferences } from '../../../src/model/dockerfile-bases.js'

const text = `# syntax=docker/dockerfile:1
ARG BASE=shop/base
ARG OTHER="shop/other" PLAIN
FROM --platform=linux/amd64 \${BASE} AS build
FROM node:20 AS shop
FROM build
COPY --from=shop/tools:latest --chown=1:1 \\
  /bin/tool /bin/
COPY --from=build /a /a
RUN --mount=type=bind,from=shop/base,target=/x echo --from=shop/never from=shop/never
FROM ghcr.io/shop/base:1
FROM shop/base:1.2
FROM shop
FROM \${PLAIN:-shop/other}
`

test('images are named by FROM and --from, through arguments, and not by releases, stages or commands', () => {
  const images = new Set(['shop/base', 'shop/tools', 'shop/other', 'shop/never', 'shop', 'build'])
  expect(dockerfileBases({ text, args: {}, images })).toEqual(['shop/base', 'shop/tools', 'shop/other'])
  expect(dockerfileBases({ text, args: { BASE: 'node:20', PLAIN: 'shop/never' }, images })).toEqual([
    'shop/tools',
    'shop/base',
    'shop/never',
  ])
  expect(dockerfileBases({ text: 'FROM node:20\nFROM alpine\nFROM scratch\n', args: {} })).toEqual(['alpine'])
})

test('names are replaced where they stand, line by line', () => {
  const references = { 'shop/base': 'localhost:5000/base:1', 'shop/tools': 'tools:2', 'shop/other': 'other:3' }
  const lines = text.split('\n')
  const replaced = withReferences(text, {}, references).split('\n')
  expect(replaced.filter((line, index) => line !== lines[index])).toEqual([
    'FROM --platform=linux/amd64 localhost:5000/base:1 AS build',
    'COPY --from=tools:2 --chown=1:1 \\',
    'RUN --mount=type=bind,from=localhost:5000/base:1,target=/x echo --from=shop/never from=shop/never',
    'FROM other:3',
  ])
  expect(withReferences('FROM base-of-base AS x\nFROM base', {}, { base: 'b:1' })).toBe('FROM base-of-base AS x\nFROM b:1')
})
