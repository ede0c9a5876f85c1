import { expect, test } from 'vitest'
import { instancePaths, runtimeDirs } from '../../../src/protocol/discovery.js'

test('runtime folders: the environment first, then where it usually is', () => {
  expect(runtimeDirs({ XDG_RUNTIME_DIR: '/run/user/7' }, 7)).toEqual(['/run/user/7/devloop', '/tmp/devloop-7'])
  expect(runtimeDirs({ XDG_RUNTIME_DIR: '/elsewhere/' }, 7)).toEqual([
    '/elsewhere/devloop',
    '/run/user/7/devloop',
    '/tmp/devloop-7',
  ])
})

test.each([{}, { XDG_RUNTIME_DIR: '' }, { XDG_RUNTIME_DIR: 'relative' }])('runtime folders with %j', (env) => {
  expect(runtimeDirs(env, 7)).toEqual(['/run/user/7/devloop', '/tmp/devloop-7'])
})

test('paths of an instance', () => {
  expect(instancePaths('/run/user/7/devloop', 'shop-1a2b')).toEqual({
    discovery: '/run/user/7/devloop/shop-1a2b.json',
    socket: '/run/user/7/devloop/shop-1a2b.sock',
  })
})
