// What is read out of Dockerfiles that are there.
import { expect, test } from 'vitest'
import { readDockerfile } from '../../../src/scaffold/existing-dockerfile.js'

test('the stage for development, the port, and the folders that can be synced', () => {
  const text = `FROM node:22 AS base
WORKDIR /srv
COPY package.json package-lock.json ./
RUN npm ci
FROM base AS dev
COPY src ./src
EXPOSE 4000/tcp
CMD ["npm", "start"]
FROM base AS prod
EXPOSE 80
CMD ["node", "dist"]
`
  expect(readDockerfile(text, 'node')).toEqual({
    target: 'dev',
    port: 4000,
    live: [
      { rule: 'rebuildOn', paths: ['package.json', 'package-lock.json'] },
      { rule: 'sync', from: 'src', to: '/srv/src' },
      { rule: 'restart' },
    ],
  })
})

test('what is compiled goes through a build', () => {
  expect(readDockerfile('FROM golang\nWORKDIR /src\nCOPY . .\nRUN go build\nEXPOSE 8080\n', 'go')).toEqual({
    port: 8080,
    live: [],
  })
  expect(readDockerfile('FROM node\nWORKDIR /app\nCOPY . .\nRUN npm run build\n', 'node').live).toEqual([])
  expect(readDockerfile('FROM node\nCOPY . /app\n', undefined).live).toEqual([])
})

test('what looks at its files itself, or reads them anew, is not restarted', () => {
  const live = (command: string, kind: string): readonly string[] =>
    readDockerfile(`FROM x\nWORKDIR /app\nCOPY . .\nCMD ${command}\n`, kind).live.map(({ rule }) => rule)
  expect(live('["uvicorn", "main:app", "--reload"]', 'python')).toEqual(['sync'])
  expect(live('["apache2-foreground"]', 'php')).toEqual(['sync'])
  expect(live('["python", "main.py"]', 'python')).toEqual(['sync', 'restart'])
})

test('what comes from another stage, or from a pattern, is not synced', () => {
  expect(readDockerfile('FROM x AS a\nFROM y\nCOPY --from=a /out /app\nCOPY *.js /app/\n', 'node').live).toEqual([])
})
