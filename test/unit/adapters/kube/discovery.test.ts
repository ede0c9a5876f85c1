import { expect, test } from 'vitest'
import { chooseRegistry, parseAnnouncement } from '../../../../src/adapters/kube/discovery.js'

const announced = parseAnnouncement('host: localhost:5000\nhostFromContainerRuntime: registry.svc:5000\nhelp: https://help.test')

test('what the cluster announces is used where the Devloopfile names nothing', () => {
  expect(chooseRegistry(undefined, announced)).toEqual({
    push: 'localhost:5000',
    pull: 'registry.svc:5000',
    help: 'https://help.test',
  })
  expect(chooseRegistry(undefined, undefined)).toBeUndefined()
})

test("the Devloopfile's word counts more, and learns the nodes' name of the same place", () => {
  expect(chooseRegistry({ push: 'localhost:5000/dev', fallback: false }, announced)).toEqual({
    push: 'localhost:5000/dev',
    pull: 'registry.svc:5000/dev',
    help: 'https://help.test',
  })
  expect(chooseRegistry({ push: 'localhost:50001', fallback: false }, announced)).toEqual({
    push: 'localhost:50001',
    pull: 'localhost:50001',
  })
  expect(chooseRegistry({ push: 'ghcr.io/me', pull: 'mirror.io/me', singleName: 'dev', fallback: false }, announced)).toEqual({
    push: 'ghcr.io/me',
    pull: 'mirror.io/me',
    singleName: 'dev',
  })
})

test('a fallback counts only where nothing is announced', () => {
  expect(chooseRegistry({ push: 'ghcr.io/me', fallback: true }, announced)?.push).toBe('localhost:5000')
  expect(chooseRegistry({ push: 'ghcr.io/me', fallback: true }, undefined)?.push).toBe('ghcr.io/me')
})

test.each(['', 'host: ""', '- a', 'host: [', 'help: x'])('an announcement that names no host is none: %s', (text) => {
  expect(parseAnnouncement(text)).toBeUndefined()
})
