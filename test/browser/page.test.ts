// The page in a real browser, with a real daemon behind it.
import { describe, expect, test } from 'vitest'
import { addressOf, discoveryOf, look, noBrowser, patience } from '../support/browser.js'
import { waitFor } from '../support/wait-for.js'
import { wordApp } from '../support/word-app.js'

if (noBrowser !== undefined) console.warn(`The page is not tested: ${noBrowser}.`)

/** Two more resources: one that needs the app, and one that fails. */
const more = `
  local('after', { run: 'echo after; printf "\\\\033[31mred words\\\\033[0m\\\\n"', needs: ['words'], labels: ['tools'] }),
  local('broken', { run: 'echo it broke >&2; exit 3', labels: ['tools'] }),
`

describe.skipIf(noBrowser !== undefined)('the page', () => {
  test('shows a save, each view, and does what its buttons say', { timeout: 120_000 }, async () => {
    const words = await wordApp()
    await words.save('Devloopfile.ts', words.devloopfile({ imports: "import { local } from 'devloop'", resources: more }))
    const watching = await words.watch()
    await watching.until('words', (one) => one.ready)
    await watching.until('broken', (one) => one.status === 'failed')
    const { page, problems, audit } = await look(addressOf(await discoveryOf(words.env)))
    const row = (name: string) => page.locator(`li[data-resource=${name}]`)

    // the overview: what is broken first, links, the token out of the address
    await row('words').getByText('ready', { exact: true }).waitFor(patience)
    expect(page.url()).toMatch(/\/#\/$/)
    expect(await page.title()).toContain('failed: broken')
    expect(await page.locator('link[rel=icon]').getAttribute('href')).toMatch(/^data:image\/svg\+xml,/)
    expect(await page.locator('.trouble').first().innerText()).toContain('broken')
    expect(await page.locator('li[data-resource]').first().getAttribute('data-resource')).toBe('broken')
    expect(await row('words').locator('a.endpoint').getAttribute('href')).toBe(`http://localhost:${words.port}`)
    expect(await audit()).toEqual([])

    // a save, seen while it is looked at
    await words.save('app/src/word.txt', 'two')
    await row('words')
      .getByText(/live in \d+ ms/)
      .waitFor(patience)

    // keys: to the row of a resource, into it, back
    await page.keyboard.press('j')
    await page.keyboard.press('j')
    expect(await page.evaluate('document.activeElement.textContent')).not.toBe('broken')
    await row('words').locator('a.row-name').focus()
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'words app' }).waitFor(patience)
    await page.getByText('in sync').first().waitFor(patience)
    await page.locator('.log-row', { hasText: 'listening as process' }).waitFor(patience)
    expect(await audit()).toEqual([])

    // a button: the process is another one
    const before = watching.resource('words')?.since
    await page.getByRole('button', { name: 'Restart words' }).click()
    await page.getByText('words is being restarted').waitFor(patience)
    await waitFor(
      () =>
        page
          .locator('.log-row', { hasText: 'listening as process' })
          .count()
          .then((count) => count > 1),
      {
        timeoutMs: 20_000,
        what: 'the line of another process',
      },
    )
    expect(before).toBeDefined()
    await page.keyboard.press('Escape')
    await row('broken').getByRole('button', { name: 'Disable broken' }).click()
    await watching.until('broken', (one) => one.status === 'disabled')
    await row('broken').getByText('disabled', { exact: true }).waitFor(patience)
    await row('broken').getByRole('button', { name: 'Enable broken' }).click()
    await watching.until('broken', (one) => one.status === 'failed')

    // the graph: nodes, edges, names for those who do not see it
    await page.keyboard.press('2')
    const node = page.getByRole('link', { name: /^resource after: ready; needs words$/ })
    await node.waitFor(patience)
    expect(await page.locator('.graph svg path.graph-needs').count()).toBeGreaterThan(0)
    expect(await page.getByRole('img', { name: /^image test\/words: / }).count()).toBe(1)
    expect(await audit()).toEqual([])

    // the changes: the stages of the save
    await page.keyboard.press('3')
    const change = page.locator('.change', { hasText: 'app/src/word.txt' })
    await change.getByText(/live in/).waitFor(patience)
    expect(await change.locator('rect').count()).toBeGreaterThan(2)
    expect(await change.locator('.stages-words').innerText()).toMatch(/written\s+\d+ ms/)
    expect(await audit()).toEqual([])

    // the log: colours as the program wrote them
    await page.keyboard.press('4')
    await page.locator('.log-row .ansi-red', { hasText: 'red words' }).first().waitFor(patience)
    expect(await audit()).toEqual([])
    await page.keyboard.press('5')
    await page.getByText('Devloopfile.ts').first().waitFor(patience)
    expect(await audit()).toEqual([])

    // the list of keys, in the dark, on a small screen
    await page.emulateMedia({ colorScheme: 'dark' })
    await page.setViewportSize({ width: 400, height: 700 })
    await page.keyboard.press('?')
    await page.getByRole('dialog').getByText('Trigger it').waitFor(patience)
    await page.keyboard.press('Escape')
    for (const key of ['1', '2', '3', '4', '5']) {
      await page.keyboard.press(key)
      expect(await audit()).toEqual([])
      expect([key, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([key, 400])
    }
    expect(problems).toEqual([])
  })

  test('holds 100,000 lines of log, draws few of them, and finds what is searched for', { timeout: 120_000 }, async () => {
    const words = await wordApp()
    const watching = await words.watch()
    await watching.ready()
    const { page, problems } = await look(`${addressOf(await discoveryOf(words.env))}`)
    await page.locator('li[data-resource=words]').waitFor(patience)
    await page.keyboard.press('4')
    const count = async (): Promise<number> => Number((await page.locator('.log-count').innerText()).replace(/\D/g, ''))
    // in pieces, so that whatever the machine, nothing is dropped on the way
    for (let i = 0; i < 20; i++) {
      const known = await count()
      await fetch(`http://127.0.0.1:${words.port}/lines/5000`)
      await waitFor(async () => (await count()) >= known + 5000, { timeoutMs: 30_000, what: '5,000 more lines' })
    }
    expect(await count()).toBeGreaterThanOrEqual(100_000)
    expect(await page.locator('.log-row').count()).toBeLessThan(100)

    const found = page.locator('.search-count')
    await page.keyboard.press('/')
    await page.keyboard.type('line 4321 ')
    await waitFor(async () => /of 20$/.test(await found.innerText()), { timeoutMs: 10_000, what: '20 lines found' })
    expect(await page.locator('.log-chosen mark').innerText()).toBe('line 4321 ')
    const first = await found.innerText()
    await page.keyboard.press('Enter')
    await waitFor(async () => (await found.innerText()) !== first, { timeoutMs: 10_000, what: 'the next line that was found' })
    await page.keyboard.press('Escape')
    await page.keyboard.press('N')
    await waitFor(async () => (await found.innerText()) === first, { timeoutMs: 10_000, what: 'the line before' })
    // it stands still while more comes, and goes along again when asked
    const still = await page.locator('.log-chosen').innerText()
    await fetch(`http://127.0.0.1:${words.port}/lines/50`)
    await waitFor(async () => /of 20$/.test(await found.innerText()), { timeoutMs: 10_000, what: 'nothing more to be found' })
    expect(await page.locator('.log-chosen').innerText()).toBe(still)
    await page.keyboard.press('f')
    await page.locator('.log-row', { hasText: 'line 49 ' }).last().waitFor(patience)

    await page.getByRole('button', { name: 'Only lines that were found' }).click()
    await waitFor(async () => (await count()) === 20, { timeoutMs: 10_000, what: 'only 20 lines' })
    await page.getByLabel('Level').selectOption('error')
    await page.getByText('No line passes the filters.').waitFor(patience)
    await page.getByLabel('Level').selectOption('info')
    await page.getByLabel('Resource', { exact: true }).selectOption('words')
    await page.getByRole('heading', { name: 'Log of words' }).waitFor(patience)
    expect(problems).toEqual([])
  })

  test('has no buttons with the token for reading, and keys that act do nothing', { timeout: 120_000 }, async () => {
    const words = await wordApp()
    const watching = await words.watch()
    await watching.ready()
    const { url = '', readToken } = await discoveryOf(words.env)
    const { page, problems } = await look(addressOf({ url, token: readToken }))
    const row = page.locator('li[data-resource=words]')
    await row.getByText('ready', { exact: true }).waitFor(patience)
    expect(await row.getByRole('button').count()).toBe(0)
    await row.locator('a.row-name').focus()
    for (const key of ['t', 'r', 'e']) await page.keyboard.press(key)
    await page.keyboard.press('5')
    await page.getByText('see, and ask for nothing').waitFor(patience)
    await words.save('app/src/word.txt', 'two')
    await words.answers('two ')
    await page.keyboard.press('4')
    await page.locator('.log-row', { hasText: 'word.txt' }).first().waitFor(patience)
    expect(await page.locator('.log-row', { hasText: 'listening as process' }).count()).toBe(1)
    expect(watching.resource('words')).toMatchObject({ status: 'ready' })
    expect(problems).toEqual([])
  })

  test('finds the daemon again after its restart, and says what is wrong until then', { timeout: 120_000 }, async () => {
    const words = await wordApp()
    const first = await words.watch()
    await first.ready()
    const discovery = await discoveryOf(words.env)
    // a browser itself tells in the console that nobody answers
    const { page, problems, audit } = await look(addressOf(discovery), { expected: /WebSocket|ERR_CONNECTION_REFUSED/ })
    await page.locator('li[data-resource=words]').waitFor(patience)
    first.child.kill('SIGINT')
    await first.ended
    await page.getByText('Not connected.').waitFor(patience)
    expect(await page.title()).toContain('not connected')
    expect(await audit()).toEqual([])

    const second = await words.watch()
    await second.ready()
    // the same address as before, and the same token
    expect(await discoveryOf(words.env)).toMatchObject({ url: discovery.url, token: discovery.token })
    await page.getByText('Not connected.').waitFor({ ...patience, state: 'detached' })
    await words.save('app/src/word.txt', 'three')
    await page
      .getByText(/live in \d+ ms/)
      .first()
      .waitFor(patience)
    // loaded again, it is as before: the token is kept by the tab
    await page.reload()
    await page.locator('li[data-resource=words]').waitFor(patience)

    // whoever comes without it sees nothing but how to get it
    const other = await look(discovery.url ?? '')
    await other.page.getByText('devloop open').waitFor(patience)
    expect(await other.page.locator('li[data-resource]').count()).toBe(0)
    const wrong = await look(`${discovery.url}/#token=${'x'.repeat(43)}`, { expected: /WebSocket|401/ })
    await wrong.page.getByText('does not take the token of this page').waitFor(patience)
    expect(await wrong.audit()).toEqual([])
    expect([...problems, ...other.problems, ...wrong.problems]).toEqual([])
  })
})
