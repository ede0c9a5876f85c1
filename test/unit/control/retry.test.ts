import { expect, test } from 'vitest'
import { retryAt } from '../../../src/control/retry.js'
import { DevloopError } from '../../../src/errors/devloop-error.js'
import type { ErrorCode } from '../../../src/errors/codes.js'

const at = (code: ErrorCode, attempts = 1): number | undefined => retryAt(new DevloopError(code, 'x').info, attempts, 1000)

test.each<ErrorCode>(['build/context', 'engine/unreachable', 'registry/unreachable', 'cluster/unreachable', 'sync/disconnected'])(
  '%s is tried again by itself: its cause may go without a file event',
  (code) => {
    expect(at(code)).toBeGreaterThan(1000)
    expect(at(code, 3)).toBeGreaterThan(at(code, 2) ?? Infinity)
    expect(at(code, 100)).toBe(16_000)
  },
)

test.each<ErrorCode>(['build/failed', 'run/failed', 'cluster/invalid', 'pod/crashed'])('%s waits for a change', (code) =>
  expect(at(code)).toBeUndefined(),
)
