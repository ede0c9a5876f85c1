import { expect, test } from 'vitest'
import { createProgressLine } from '../../../../src/cli/render/progress-line.js'

function onTerminal(isTTY: boolean, env: Record<string, string> = {}) {
  let written = ''
  const stderr = { isTTY, columns: 20, write: (text: string) => ((written += text), true) } as unknown as NodeJS.WriteStream & {
    fd: 2
  }
  return { line: createProgressLine({ stderr, env }), written: () => written }
}

test('one line that is written over, cut to the terminal, and goes', () => {
  const { line, written } = onTerminal(true)
  line.show({ message: 'api: building' })
  line.show({ message: 'api: \u001b[2Jdeploying\nall of it', done: 1, total: 2 })
  line.clear()
  line.clear()
  expect(written().split('\r')).toEqual(['', 'api: building\u001b[K', '[1/2] api: deployi…\u001b[K', '\u001b[K'])
})

test('nothing where nobody could see it', () => {
  for (const { line, written } of [onTerminal(false), onTerminal(true, { TERM: 'dumb' })]) {
    line.show({ message: 'api: building', done: 0, total: 1 })
    line.clear()
    expect(written()).toBe('')
  }
})
