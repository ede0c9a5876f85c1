import { describe, expect, it } from 'vitest'
import { createLogBuffer } from '../../../../src/cli/screen/log-buffer.js'
import { press, type Seen } from '../../../../src/cli/screen/press.js'
import { initialState, type Effect, type ScreenState } from '../../../../src/cli/screen/screen-state.js'
import type { View } from '../../../../src/protocol/messages.js'
import { asMap, endpoint, line, resource, session, shop } from '../views.js'

const log = createLogBuffer(100)
log.add({
  lines: Array.from({ length: 20 }, (_, index) => line('api', `${index % 5 === 0 ? 'GET' : 'put'} ${index}`, { cursor: index })),
  dropped: 0,
})

/** The state and the effects after some keys. */
function after(keys: readonly string[], from: Partial<ScreenState> = {}, views: readonly View[] = shop()) {
  const seen: Seen = { views: asMap(...views), log, page: 6, scrollMost: 4 }
  let state: ScreenState = { ...initialState, ...from }
  const effects: Effect[] = []
  for (const key of keys) {
    const pressed = press(state, key, seen)
    state = pressed.state
    effects.push(...pressed.effects)
  }
  return { ...state, effects }
}

describe('selecting', () => {
  it('goes from all to the resources as they are shown, problems first, and no farther', () => {
    expect(after(['down']).selected).toBe('web')
    expect(after(['down', 'j']).selected).toBe('db')
    expect(after(['down', 'up']).selected).toBeUndefined()
    expect(after(['up']).selected).toBeUndefined()
    expect(after(['end']).selected).toBe('worker')
    expect(after(['end', 'down']).selected).toBe('worker')
    expect(after(['end', 'home']).selected).toBeUndefined()
  })
  it('follows the log of the next one', () => {
    expect(after(['down'], { at: 3, scroll: 2 })).toMatchObject({ at: undefined, scroll: 0 })
  })
  it('finds by a part of the name as it is typed', () => {
    expect(after(['s', 'o', 'r'])).toMatchObject({ selected: 'worker', prompt: { kind: 'select', text: 'or' } })
    expect(after(['s', 'A', 'P', 'enter'])).toMatchObject({ selected: 'api', prompt: undefined })
    expect(after(['s', 'o', 'r', 'escape'], { selected: 'db' }).selected).toBe('db')
    expect(after(['s', 'o', 'backspace', 'a', 'p'], { selected: 'db' }).selected).toBe('api')
    expect(after(['s', 'x', 'y'], { selected: 'db' }).selected).toBe('db')
  })
  it('goes back step by step', () => {
    const deep: Partial<ScreenState> = { selected: 'api', zoom: true, search: 'x', at: 3 }
    expect(after(['escape'], deep)).toMatchObject({ search: '', zoom: true })
    expect(after(['escape', 'escape'], deep)).toMatchObject({ zoom: false, at: undefined, selected: 'api' })
    expect(after(['escape', 'escape', 'escape'], deep).selected).toBeUndefined()
  })
})

describe('the log', () => {
  it('is followed until one moves in it, and again behind its end', () => {
    expect(after(['up'], { zoom: true }).at).toBe(19)
    expect(after(['up', 'up', 'k'], { zoom: true }).at).toBe(17)
    expect(after(['pageup'], { zoom: true }).at).toBe(15)
    expect(after(['pageup', 'pagedown'], { zoom: true }).at).toBeUndefined()
    expect(after(['home'], { zoom: true }).at).toBe(0)
    expect(after(['home', 'up', 'end'], { zoom: true }).at).toBeUndefined()
    expect(after(['pageup']).at).toBe(15)
    expect(after(['up', 'f'], { zoom: true }).at).toBeUndefined()
  })
  it('is searched from its end, older and newer', () => {
    const found = after(['/', 'g', 'e', 't', 'enter'])
    expect(found).toMatchObject({ search: 'get', at: 15, zoom: true, prompt: undefined })
    expect(after(['n'], found).at).toBe(10)
    expect(after(['n', 'n', 'N'], found).at).toBe(10)
    expect(after(['N'], found)).toMatchObject({ at: 15, notice: { text: 'get: no newer line was found' } })
    expect(after(['n', 'n', 'n', 'n', 'n'], found).notice?.text).toBe('get: no older line was found')
  })
  it('says when nothing is found, or nothing was looked for', () => {
    expect(after(['/', 'x', 'enter']).notice?.text).toBe('x: not found')
    expect(after(['n']).notice?.text).toContain('/')
    expect(after(['n', 'up']).notice).toBeUndefined()
  })
  it('keeps the search before when a new one is called off, and takes what is pasted', () => {
    expect(after(['/', 'x', 'escape'], { search: 'get' })).toMatchObject({ search: 'get', prompt: undefined })
    expect(after(['/', 'paste:pu\x1b[2Jt\nmore', 'enter']).search).toBe('put')
    expect(after(['paste:qqq'])).toMatchObject({ ...initialState, effects: [] })
  })
  it('has levels', () => {
    expect(after(['v']).level).toBe('warn')
    expect(after(['v', 'v']).level).toBe('error')
    expect(after(['v', 'v', 'v']).level).toBe('info')
  })
})

describe('the details and the help', () => {
  it('scroll within what there is', () => {
    expect(after(['tab'])).toMatchObject({ pane: 'details' })
    const details: Partial<ScreenState> = { pane: 'details', zoom: true }
    expect(after(['up'], details).scroll).toBe(0)
    expect(after(['down', 'down'], details).scroll).toBe(2)
    expect(after(['pagedown', 'pagedown'], details).scroll).toBe(4)
    expect(after(['end', 'up'], details).scroll).toBe(3)
    expect(after(['?', 'down']).scroll).toBe(1)
  })
  it('help ends with any other key, and q still ends all', () => {
    expect(after(['?', 'x'])).toMatchObject({ help: false, effects: [] })
    expect(after(['?', 'q']).effects).toEqual([{ kind: 'quit' }])
  })
})

describe('actions', () => {
  const api = { selected: 'api' }
  it.each([
    ['t', { kind: 'request', method: 'trigger', resource: 'api' }],
    ['r', { kind: 'request', method: 'restart', resource: 'api' }],
    ['o', { kind: 'open', url: 'http://localhost:8080' }],
    ['y', { kind: 'copy', text: 'http://localhost:8080', what: 'http://localhost:8080' }],
    ['w', { kind: 'page' }],
    ['q', { kind: 'quit' }],
    ['ctrl-c', { kind: 'interrupt' }],
    ['ctrl-z', { kind: 'suspend' }],
    ['ctrl-l', { kind: 'redraw' }],
  ])('%s', (key, effect) => expect(after([key], api).effects).toEqual([effect]))

  it('need something that is selected', () => {
    for (const key of ['t', 'r', 'e', 'o', 'y'])
      expect(after([key])).toMatchObject({
        effects: [],
        notice: { text: expect.stringContaining('select a resource') as string },
      })
  })
  it('ask before a resource is disabled, and enable at once', () => {
    expect(after(['e'], api)).toMatchObject({ effects: [], prompt: { kind: 'disable', resource: 'api' } })
    expect(after(['e', 'y'], api).effects).toEqual([{ kind: 'request', method: 'disable', resource: 'api' }])
    expect(after(['e', 'enter'], api)).toMatchObject({ effects: [], prompt: undefined })
    expect(after(['e'], { selected: 'off' }, [session(), resource('off', { status: 'disabled' })]).effects).toEqual([
      { kind: 'request', method: 'enable', resource: 'off' },
    ])
  })
  it('ask which of several addresses is meant', () => {
    const two = [session(), resource('two', { endpoints: [endpoint(80), endpoint(81)] })]
    expect(after(['o', '2'], { selected: 'two' }, two).effects).toEqual([{ kind: 'open', url: 'http://localhost:81' }])
    expect(after(['y', '3'], { selected: 'two' }, two)).toMatchObject({ effects: [], prompt: undefined })
    expect(after(['o'], { selected: 'worker' }).notice?.text).toBe('worker has no address')
  })
  it('copy the line that is pointed at, or else the error', () => {
    expect(after(['c'], { at: 5 }).effects).toEqual([{ kind: 'copy', text: 'GET 5', what: 'the line' }])
    const [error] = after(['c'], { selected: 'web' }).effects
    expect(error).toMatchObject({ kind: 'copy', what: 'the error' })
    expect((error as { text: string }).text).toContain('npm error errno -2')
    expect(after(['c'], api).notice?.text).toContain('no error')
  })
  it('Ctrl-C works while something is asked', () => {
    expect(after(['/', 'x', 'ctrl-c']).effects).toEqual([{ kind: 'interrupt' }])
  })
})
