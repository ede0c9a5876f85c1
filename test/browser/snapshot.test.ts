// `devloop snapshot`: the page as one file, opened from the disk with no daemon there, and with nothing of what is secret in it.
import { randomBytes } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, test } from 'vitest'
import { look, noBrowser } from '../support/browser.js'
import { wordApp } from '../support/word-app.js'

if (noBrowser !== undefined) console.warn(`The snapshot is not tested: ${noBrowser}.`)

const patience = { timeout: 20_000 }

describe.skipIf(noBrowser !== undefined)('a snapshot', () => {
  test('opens from a file, asks nobody, and holds what was there', { timeout: 120_000 }, async () => {
    const secret = `planted-${randomBytes(9).toString('hex')}`
    const words = await wordApp()
    words.env.SHOP_API_TOKEN = secret
    const resources = `
      local('noisy', { run: 'echo "</script><b>no markup</b>"; echo "the token is $SHOP_API_TOKEN"; echo "password=$SHOP_API_TOKEN" >&2' }),
      local('broken', { run: 'echo "it broke with $SHOP_API_TOKEN" >&2; exit 3' }),
    `
    await words.save('Devloopfile.ts', words.devloopfile({ imports: "import { local } from 'devloop'", resources }))
    const watching = await words.watch()
    await watching.until('words', (one) => one.ready)
    await watching.until('broken', (one) => one.status === 'failed')
    await watching.until('noisy', (one) => one.ready)
    const made = await words.run('snapshot', '--output', 'page.html')
    expect([made.code, made.stderr]).toEqual([0, ''])
    const file = join(words.folder, 'page.html')
    expect(made.stdout).toContain('page.html\n\nIt opens in any browser')
    const without = await words.run('snapshot', '--tail', '0', '--json', '--output', 'quiet.html')
    expect(JSON.parse(without.stdout)).toMatchObject({ lines: 0, views: expect.any(Number) as number })
    watching.child.kill('SIGINT')
    await watching.ended

    const html = await readFile(file, 'utf8')
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect(html).not.toContain(secret)
    expect(html).toContain('[secret SHOP_API_TOKEN]')
    expect(await readFile(join(words.folder, 'quiet.html'), 'utf8')).not.toContain('no markup')

    const { page, problems, audit } = await look(pathToFileURL(file).href, { expected: /Content Security Policy/ })
    const row = (name: string) => page.locator(`li[data-resource=${name}]`)
    await row('words').getByText('ready', { exact: true }).waitFor(patience)
    await row('broken').getByText('failed', { exact: true }).first().waitFor(patience)
    expect(await page.title()).toContain('failed: broken')
    // nothing that would need a daemon
    expect(await page.getByRole('button', { name: /Restart|Disable|Trigger/ }).count()).toBe(0)
    expect(await audit()).toEqual([])
    await row('noisy').locator('a.row-name').focus()
    await page.keyboard.press('Enter')
    await page.locator('.log-row', { hasText: '</script><b>no markup</b>' }).last().waitFor(patience)
    await page.locator('.log-row', { hasText: 'the token is [secret SHOP_API_TOKEN]' }).waitFor(patience)
    expect(problems).toEqual([])

    // its policy lets no other script run, and asks no other address
    const tried = await page.evaluate(`(async () => {
      const script = document.createElement('script')
      script.textContent = 'window.foreign = true'
      document.head.append(script)
      const asked = await fetch('https://example.com').then(() => 'answered', () => 'refused')
      return [window.foreign === true, asked]
    })()`)
    expect(tried).toEqual([false, 'refused'])
  })
})
