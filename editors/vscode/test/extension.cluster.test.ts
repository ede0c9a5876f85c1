// The extension with a real image build and real pods: what a compiler says in a container is in the project's file.
import { join } from 'node:path'
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import type * as vscode from 'vscode'
import { waitFor } from '../../../test/support/cluster.js'
import { appFiles, dockerfile, loop, server } from '../../../test/support/loop.js'
import manifest from '../package.json' with { type: 'json' }
import { activate } from '../src/extension.js'
import { editor } from './vscode-double.js'

beforeEach(() => editor.reset())

test('a failed build is in the Dockerfile and in the source that it compiles; pods and their sync state are shown', async () => {
  const one = await loop({
    files: {
      ...appFiles,
      'app/Dockerfile': dockerfile.replace('COPY . .', 'COPY . .\nRUN node --check src/other.mjs'),
      'app/src/other.mjs': 'export {}\n',
    },
  })
  const watching = await one.begin()
  vi.stubEnv('XDG_RUNTIME_DIR', one.env.XDG_RUNTIME_DIR)
  onTestFinished(() => void vi.unstubAllEnvs())
  editor.open(one.folder)
  const context = { subscriptions: [] as vscode.Disposable[], extension: { packageJSON: manifest } }
  activate(context as unknown as vscode.ExtensionContext)
  onTestFinished(() => context.subscriptions.toReversed().forEach((part) => void part.dispose()))

  await waitFor(() => editor.statusBar?.text === '$(pass) devloop', { what: 'the status bar to show that all is ready' })
  const [pod] = await one.pods()
  expect(await editor.tree('devloop.resources')).toEqual(
    expect.arrayContaining([
      '[pass-filled] web: ready',
      `  [server-process] ${pod?.name}: running, ready`,
      '    [symbol-object] web: running, in sync',
    ]),
  )

  // no rule covers package.json: the image is built again, and node in the build does not like the other file
  await one.save('app/src/other.mjs', '\nexport const = 1\n')
  await one.save('app/package.json', '{ "version": "2.0.0" }')
  await waitFor(() => editor.problems(one.folder).length === 2, { what: 'the problems', timeoutMs: 60_000 })
  expect(editor.problems(one.folder)).toEqual([
    expect.stringMatching(/^app\/Dockerfile:5:1 error devloop web: .*node --check src\/other\.mjs.* \[build\/failed\]$/),
    expect.stringMatching(/^app\/src\/other\.mjs:2:1 error devloop web: SyntaxError: .* \[undefined\]$/),
  ])
  const [diagnostic] = editor.diagnostics(join(one.folder, 'app/src/other.mjs'))
  expect(diagnostic?.relatedInformation?.[0]?.location.uri.fsPath).toBe(join(one.folder, 'app/Dockerfile'))
  await one.save('app/src/other.mjs', 'export {}\n')
  await watching.ready()
  await waitFor(() => editor.problems(one.folder).length === 0, { what: 'the problems to go' })
  await one.save('app/src/server.js', `${server}\n`)
  await waitFor(() => /^\$\(zap\) live in \d/.test(editor.statusBar?.text ?? ''), { what: 'the save to be told as live' })
})
