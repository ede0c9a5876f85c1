import { expect, test } from 'vitest'
import { instructionOfImage, instructionOfStep, parseDockerfile } from '../../../src/model/dockerfile.js'

const text = `# a comment
ARG BASE=node
FROM \${BASE}:20 AS build
WORKDIR /app

RUN npm ci && \\
    # a comment within
    \\
    npm run build
COPY <<EOF /etc/motd
FROM here on it is text
EOF
RUN <<'ONE' cat
RUN not me
ONE
from build as Check
run npm test
FROM scratch
COPY --from=docker.io/library/alpine:3.20 /bin/sh /sh
COPY --from=build /app \\
  /app`

const lines = (step: string): number | undefined => instructionOfStep(parseDockerfile(text), step)?.line

test('instructions have their lines, over continuations, comments and heredocs', () => {
  expect(parseDockerfile(text).map(({ keyword, line, stage }) => [keyword, line, stage])).toEqual([
    ['ARG', 2, -1],
    ['FROM', 3, 0],
    ['WORKDIR', 4, 0],
    ['RUN', 6, 0],
    ['COPY', 10, 0],
    ['RUN', 13, 0],
    ['FROM', 16, 1],
    ['RUN', 17, 1],
    ['FROM', 18, 2],
    ['COPY', 19, 2],
    ['COPY', 20, 2],
  ])
})

test('a step leads to its instruction by stage and number', () => {
  expect(lines('[build 1/5] FROM docker.io/library/node:20')).toBe(3)
  expect(lines('[build 3/5] RUN npm ci &&     npm run build')).toBe(6)
  expect(lines('[Check 1/1] RUN npm test')).toBe(17)
  expect(lines('[stage-2 2/2] COPY --from=build /app   /app')).toBe(20)
})

test('where a base adds steps of its own, the text decides over the number', () => {
  expect(lines('[build 6/9] RUN npm ci && npm run build')).toBe(6)
  expect(lines('[build 2/9] COPY package.json .')).toBeUndefined()
})

test('variables that the engine filled in do not hide the instruction', () => {
  const file = parseDockerfile('FROM a\nARG DIR=x\nRUN true\nCOPY $DIR /srv\n')
  expect(instructionOfStep(file, '[3/3] COPY x /srv')?.line).toBe(4)
})

test('a heredoc mark in quoted text opens none', () => {
  expect(parseDockerfile('FROM a\nRUN echo "x <<Y"\nRUN true').map(({ line }) => line)).toEqual([1, 2, 3])
})

test('the escape directive changes the continuation sign', () => {
  expect(parseDockerfile('# escape=`\nFROM a\nRUN dir `\n  c:\\\nRUN b').map(({ line }) => line)).toEqual([2, 3, 5])
})

test('an image leads to the FROM or COPY that names it', () => {
  const file = parseDockerfile(text)
  expect(instructionOfImage(file, 'docker.io/library/alpine:3.20')?.line).toBe(19)
  expect(
    instructionOfImage(parseDockerfile('FROM --platform=linux/amd64 node AS x'), 'docker.io/library/node:latest')?.line,
  ).toBe(1)
})

test.each(['', '\\', 'RUN <<', '# escape=\nFROM', 'FROM a AS', '\uFEFFFROM a'])('anything can be parsed: %j', (odd) => {
  expect(() => parseDockerfile(odd)).not.toThrow()
})
