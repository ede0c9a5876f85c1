import { homedir } from 'node:os'
import { expect, test } from 'vitest'
import { machineId } from '../../../../src/adapters/disk/machine-id.js'
import { stateDir } from '../../../../src/adapters/disk/xdg.js'

test('the state folder, as XDG says', () => {
  expect(stateDir({ XDG_STATE_HOME: '/s' })).toBe('/s/devloop')
  expect(stateDir({ XDG_STATE_HOME: 'relative' })).toBe(`${homedir()}/.local/state/devloop`)
  expect(stateDir({})).toBe(`${homedir()}/.local/state/devloop`)
})

test('the machine has a name of its own that stays', () => {
  expect(machineId()).not.toBe('')
  expect(machineId()).toBe(machineId())
})
