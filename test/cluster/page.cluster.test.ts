// The page, with real pods behind it: what is deployed, a save, a build with its steps.
import { expect, test } from 'vitest'
import { addressOf, discoveryOf, look, noBrowser, patience } from '../support/browser.js'
import { loop } from '../support/loop.js'

test.skipIf(noBrowser !== undefined)(
  'the page shows pods and containers, a save in the pod, and a build step by step',
  async () => {
    const one = await loop()
    const watching = await one.begin()
    const { page, problems, audit } = await look(addressOf(await discoveryOf(one.env)))
    const row = page.locator('li[data-resource=web]')
    await row.getByText('ready', { exact: true }).waitFor(patience)
    await one.save('app/public/live.txt', 'second')
    await row.getByText(/live in \d+ ms/).waitFor(patience)
    await one.answers('second', '/live')

    await row.locator('a.row-name').click()
    const [pod] = await one.pods()
    const shown = page.locator('.pod', { hasText: pod?.name ?? 'no pod' })
    await shown.getByText('in sync').waitFor(patience)
    expect(await shown.innerText()).toContain('running, ready')
    await page.locator('.log-row', { hasText: 'listening' }).first().waitFor(patience)
    expect(await audit()).toEqual([])

    // a build: its steps while it runs or after it, and the pod that comes of it
    await one.save('app/public/rebuild/more.txt', 'more')
    await watching.until('web', (view) => !view.ready, 60_000)
    await watching.ready(90_000)
    await page.locator('.step', { hasText: /COPY/ }).first().waitFor(patience)
    await page
      .locator('.image')
      .getByText(/built in/)
      .waitFor(patience)
    const change = page.locator('.change', { hasText: 'rebuild/more.txt' }).last()
    await change.locator('.stages-words', { hasText: /built.*applied.*live/s }).waitFor(patience)

    await page.keyboard.press('2')
    await page.getByRole('link', { name: /^resource web: ready/ }).waitFor(patience)
    expect(await page.getByRole('img', { name: new RegExp(`^image ${one.name}/web: built`) }).count()).toBe(1)
    await page.keyboard.press('5')
    await page.getByText(one.namespace).first().waitFor(patience)
    expect(problems).toEqual([])
  },
)
