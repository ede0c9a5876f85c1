// docs/examples/neovim.lua in a real Neovim, with a real daemon.
import { execFileSync, spawn } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { cli, homes, project, put, repository, watch } from '../../../test/support/devloop.js'
import { waitFor } from '../../../test/support/wait-for.js'

const has = (() => {
  try {
    return /^NVIM v0\.(\d+)/.test(execFileSync('nvim', ['--version'], { encoding: 'utf8' }))
  } catch {
    return false
  }
})()

test.skipIf(!has)('problems are diagnostics of Neovim, and go when they are mended', async () => {
  const env = await homes()
  const folder = await project({
    'Devloopfile.ts':
      "import { defineDevloop, local } from 'devloop'\nexport default defineDevloop(() => ({\n  name: 'tool',\n  resources: [local('check', { run: 'test -f good', watch: ['good'] })],\n}))\n",
  })
  const daemon = await watch(['--runtime', 'process'], { cwd: folder, env })
  await daemon.until('check', (view) => view.status === 'failed')
  const out = join(folder, 'seen.json')
  const script = join(folder, 'run.lua')
  await writeFile(
    script,
    `package.path = '${join(repository, 'docs/examples')}/?.lua;' .. package.path
local devloop = require('neovim')
devloop.start('${folder}', { '${process.execPath}', '${cli}', 'events' })
local timer = vim.loop.new_timer()
timer:start(50, 50, vim.schedule_wrap(function()
  local seen = { status = devloop.status, diagnostics = {} }
  for _, one in ipairs(vim.diagnostic.get()) do
    table.insert(seen.diagnostics, ('%s:%d %s'):format(vim.api.nvim_buf_get_name(one.bufnr), one.lnum + 1, one.message:match('[^\\n]*')))
  end
  vim.fn.writefile({ vim.json.encode(seen) }, '${out}')
end))`,
  )
  const nvim = spawn('nvim', ['--headless', '--clean', '-c', `luafile ${script}`], {
    env: { ...process.env, ...env },
    stdio: 'ignore',
  })
  onTestFinished(() => void nvim.kill('SIGKILL'))
  const seen = async (): Promise<{ status: string; diagnostics: readonly string[] }> =>
    JSON.parse(await readFile(out, 'utf8')) as { status: string; diagnostics: readonly string[] }
  await waitFor(async () => (await seen()).status === 'failed: check', { what: 'the failure to be seen' })
  expect((await seen()).diagnostics).toEqual([
    `${join(folder, 'Devloopfile.ts')}:4 check: \`test -f good\` failed with exit code 1`,
  ])
  await put(join(folder, 'good'), '')
  await waitFor(async () => /^live in \d+ ms$/.test((await seen()).status), { what: 'the success to be seen' })
  expect((await seen()).diagnostics).toHaveLength(0)
  daemon.child.kill('SIGINT')
  await waitFor(async () => (await seen()).status === 'devloop: off', { what: 'the end to be seen' })
})
