// What the conformance suite asks a daemon to do: start `devloop watch --runtime process` here.
import { defineDevloop, local } from 'devloop'

const node = (script: string): string[] => ['node', '-e', script]

export default defineDevloop({
  name: 'conformance',
  settings: { parallel: { locals: 8 } },
  resources: [
    // writes 40 lines, the word needle in one of them (and not in the line that tells the command)
    local('talk', { run: node("for (let i = 1; i <= 40; i++) console.log('talk ' + i + (i === 20 ? ' Nee' + 'Dle' : ''))") }),
    local('other', { run: node("for (let i = 1; i <= 5; i++) console.log('other ' + i)") }),
    // fails, and its log says so with level error
    local('fails', { run: node("console.log('about to fail'); process.exit(3)"), auto: false }),
    // has an end only by being disabled
    local('slow', { run: ['sleep', '600'], auto: false }),
    // writes more than a daemon keeps of logs
    local('flood', {
      run: node("for (let i = 1; i <= 60000; i++) console.log('flood ' + i + ' ' + 'x'.repeat(120))"),
      auto: false,
    }),
  ],
})
