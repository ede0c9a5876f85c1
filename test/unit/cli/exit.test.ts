import { afterEach, describe, expect, it, vi } from 'vitest'
import { exitCodes, fail } from '../../../src/cli/exit.js'
import { DevloopError } from '../../../src/errors/devloop-error.js'

afterEach(() => vi.restoreAllMocks())

function failing(thrown: unknown): { code: number; text: string } {
  let text = ''
  vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => ((text += String(chunk)), true))
  const code = fail(thrown)
  return { code, text }
}

describe('fail', () => {
  it('is 1 for what goes wrong in operation, and says what to do', () => {
    const { code, text } = failing(new DevloopError('daemon/running', 'devloop already runs', { why: 'process 12' }))
    expect(code).toBe(exitCodes.failure)
    expect(text).toBe('devloop: devloop already runs [daemon/running]\n  process 12\n  Use that one, or stop it first.\n')
  })
  it('is 2 for a wrong command line', () => expect(failing(new DevloopError('usage', 'no')).code).toBe(2))
  it('is 70 for a defect, with the stack', () => {
    const { code, text } = failing(new TypeError('x is not a function'))
    expect(code).toBe(70)
    expect(text).toContain('devloop: x is not a function [defect]')
    expect(text).toContain('exit.test.ts')
  })
  it('bears anything that is thrown', () =>
    expect(failing('a string')).toEqual({ code: 70, text: expect.stringContaining('a string [defect]') }))
})
