import { describe, expect, it } from 'vitest'
import { createLogBuffer } from '../../../../src/cli/screen/log-buffer.js'
import { line } from '../views.js'

const filled = (count: number, most = 100) => {
  const log = createLogBuffer(most)
  const lines = Array.from({ length: count }, (_, index) => line('api', `number ${index}`, { cursor: index * 2 }))
  for (const one of lines) log.add({ lines: [one], dropped: 0 })
  return log
}

describe('createLogBuffer', () => {
  it('keeps the newest lines, however many come', () => {
    const log = filled(1234)
    expect(log.length).toBe(100)
    expect([log.at(0)?.text, log.at(99)?.text, log.at(100), log.at(-1)]).toEqual([
      'number 1134',
      'number 1233',
      undefined,
      undefined,
    ])
  })
  it('finds a line by its cursor, and the next one where it is gone', () => {
    const log = filled(150)
    expect(log.at(log.indexOf(240))?.text).toBe('number 120')
    expect(log.at(log.indexOf(241))?.text).toBe('number 121')
    expect(log.indexOf(0)).toBe(0)
    expect(log.indexOf(9999)).toBe(100)
  })
  it('finds text in whatever case, also in the label, and anew when lines came', () => {
    const log = filled(150)
    expect(log.find('NUMBER 149')).toEqual([99])
    expect(log.find('')).toEqual([])
    expect(log.find('late')).toEqual([])
    log.add({ lines: [line('api', 'Late', { cursor: 1000 })], dropped: 0 })
    expect(log.find('late')).toEqual([99])
    expect(log.find('api │ late')).toEqual([99])
  })
  it('says where lines are missing', () => {
    const log = filled(1)
    log.add({ lines: [], dropped: 3 })
    log.add({ lines: [line('api', 'after', { cursor: 50 })], dropped: 4 })
    expect([log.at(0)?.missing, log.at(1)?.missing]).toEqual([0, 7])
  })
  it('takes escape sequences out, and the level from JSON', () => {
    const log = createLogBuffer(10)
    log.add({ lines: [line('api', '\x1b[2Jgone'), line('api', '{"level":"error","msg":"bad"}')], dropped: 0 })
    expect(log.at(0)?.text).toBe('gone')
    expect(log.at(1)).toMatchObject({ level: 'error', text: 'ERROR bad', label: 'api' })
  })
})
