import { expect, it } from 'vitest'
import { completeWords, type LiveNames, type Lookups } from '../../../../src/cli/completion/complete-words.js'
import { createProgram } from '../../../../src/cli/program/program.js'

const { program } = createProgram([])
const running: LiveNames = {
  resources: [
    { name: 'api', type: 'app', status: 'ready', containers: ['api', 'proxy'] },
    { name: 'web', type: 'app', status: 'failed', containers: ['web'] },
  ],
  labels: ['backend'],
  images: ['shop/api'],
  choices: ['db', 'queue'],
}
const asked: (string | undefined)[] = []
const lookups: Lookups = {
  live: async (file) => {
    asked.push(file)
    return running
  },
  contexts: async () => ['kind-dev', 'staging'],
  projects: async () => [{ value: 'shop', description: '/p/Devloopfile.ts' }],
}
const complete = async (line: string): Promise<string[]> => {
  const { candidates, paths } = await completeWords(program, line.split(' ').slice(1), lookups)
  return [...candidates.map(({ value }) => value), ...(paths ? [`<${paths}>`] : [])]
}

it.each([
  ['devloop ver', ['verify', 'version']],
  ['devloop compl', ['completion']],
  ['devloop --v', ['--version']],
  ['devloop nope ', []],
  ['devloop help tri', ['trigger']],
  ['devloop status --wait ', ['ready', 'live']],
  ['devloop status --wait=l', ['--wait=live']],
  ['devloop status w', ['web']],
  ['devloop status api ', ['web', 'label:backend']],
  ['devloop exec ', ['api', 'web']],
  ['devloop exec -c pr', []],
  ['devloop exec api -c ', ['api', 'proxy']],
  ['devloop exec api -- ', ['<files>']],
  ['devloop verify api ', []],
  ['devloop why a', ['api', '<files>']],
  ['devloop watch -- a', []],
  ['devloop watch --local db,', ['db,queue']],
  ['devloop events --kinds session,res', ['session,resource']],
  ['devloop eject api --image ', ['shop/api=']],
  ['devloop logs --label ', ['backend']],
  ['devloop logs --tail ', []],
  ['devloop logs --file ', ['<files>']],
  ['devloop watch --context k', ['kind-dev']],
  ['devloop eject api --output ', ['yaml', 'kustomize']],
  ['devloop dump --output ', ['<files>']],
  ['devloop stop ', ['shop', '<folders>']],
  ['devloop completion ', ['bash', 'zsh', 'fish']],
  ['devloop init ', ['<folders>']],
])('%s', async (line, expected) => {
  expect(await complete(line)).toEqual(expected)
})

it('offers no option twice that is taken once, and none that is hidden', async () => {
  const options = await complete('devloop watch -l one --port 1 --runtime=process --')
  expect(options).toContain('--label')
  expect(options).not.toContain('--port')
  expect(options).not.toContain('--runtime')
  expect(options).not.toContain('--background')
})

it('asks the daemon of the Devloopfile that is named', async () => {
  asked.length = 0
  await complete('devloop status --file other/Devloopfile.ts ')
  await complete('devloop status --file=third.ts ')
  await complete('devloop status ')
  expect(asked).toEqual(['other/Devloopfile.ts', 'third.ts', undefined])
})
