import { describe, expect, it } from 'vitest'
import { saidLevel } from '../../../src/model/said-level.js'

describe('saidLevel', () => {
  it.each([
    ['error', '{"level":"error","time":1,"msg":"no"}'],
    ['error', '{"time":1,"severity":"CRITICAL","message":"no"}'],
    ['error', '{"level":50,"msg":"no"}'],
    ['warn', '{"level":40,"msg":"hm"}'],
    ['info', '{"level":"info","msg":"ERROR is a word here"}'],
    ['warn', 'time=12:00 level=warning msg="hm"'],
    ['error', 'ERROR no'],
    ['error', '2026-01-02T03:04:05.678Z ERROR no'],
    ['error', '[2026-01-02 03:04:05] [error] no'],
    ['warn', '03:04:05 WARN hm'],
    ['error', '\x1b[31merror:\x1b[39m no'],
    ['error', 'E0102 03:04:05.678 1 main.go:1] no'],
    ['warn', 'W0102 03:04:05.678 1 main.go:1] hm'],
    ['info', 'GET /error 200'],
    ['info', 'error handling is on'],
    ['info', 'listening on 8080'],
    ['info', `${'x'.repeat(400)} level=error`],
    ['info', ''],
  ])('%s: %s', (level, line) => expect(saidLevel(line)).toBe(level))
})
