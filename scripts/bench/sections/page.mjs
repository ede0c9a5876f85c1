// The page in Chromium: how much later than a client in a terminal it shows a save, and how long a search of its log takes.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { noBrowser, openBrowser } from '../browser.mjs'
import { pauseBetween } from '../pause.mjs'
import { openProcess, writeProcessProject } from './process.mjs'

const lines = 100_000

export async function section({ options, home, launcher, cleanup, add }) {
  if (noBrowser()) return noBrowser()
  const project = await writeProcessProject(home, 'page')
  const session = await openProcess(launcher, project)
  const { url, token } = await session.daemon.discovery()
  const { page, close } = await openBrowser(home, cleanup)
  await page.goto(`${url}/#token=${token}`)
  await page.locator('li[data-resource=server]').waitFor()
  const seen = await measureSaves(session, page, options.quick ? 10 : 60)
  add({
    id: 'page.seen',
    what: 'a save seen live in the page, after a client on the Unix socket saw it',
    values: seen,
    limits: { median: 100, p99: 100 },
  })
  await fill(session, page)
  for (const [id, query] of [
    ['few', 'line 4321 '],
    ['many', 'output'],
  ])
    add({
      id: `page.search.${id}`,
      what: `the log of ${lines} lines searched, until the count and the line are drawn (${id} found)`,
      values: await measureSearch(page, query, options.quick ? 4 : 20),
      limits: { median: 200, p99: 200 },
    })
  await close()
  await session.daemon.stop()
  return undefined
}

/** @returns for each save, how much later than this process the page had drawn it, ms */
async function measureSaves({ project, client }, page, n) {
  const file = join(project.context, 'files/value.txt')
  await page.evaluate("location.hash = '#/changes'")
  await page.evaluate(`
    window.drawn = {}
    new MutationObserver(() => {
      for (const one of document.querySelectorAll('[data-change]')) {
        const name = one.dataset.change
        if (name in window.drawn || !one.querySelector('.change-end')?.textContent.startsWith('live')) continue
        window.drawn[name] = 0
        // after the frame in which it is painted
        requestAnimationFrame(() => setTimeout(() => (window.drawn[name] = performance.timeOrigin + performance.now())))
      }
    }).observe(document.body, { subtree: true, childList: true, characterData: true })
  `)
  const heard = new Map()
  const end = client.onViews(({ upserts }) => {
    const now = performance.timeOrigin + performance.now()
    for (const one of upserts)
      if (one.kind === 'change' && one.outcome === 'live' && !heard.has(one.name)) heard.set(one.name, now)
  })
  const values = []
  for (let i = -3; i < n; i++) {
    const known = heard.size
    writeFileSync(file, `page ${i} ${Date.now()}\n`)
    while (heard.size === known) await delay(5)
    const [name, at] = [...heard].at(-1)
    let drawn
    while (!(drawn = await page.evaluate(`window.drawn[${JSON.stringify(name)}]`))) await delay(10)
    if (i >= 0) values.push(drawn - at)
    await pauseBetween(60, 160)
  }
  end()
  return values
}

/** Has the app write until the page holds all lines. */
async function fill(session, page) {
  await page.evaluate("location.hash = '#/logs'")
  const probe = session.probe()
  const count = async () => Number((await page.locator('.log-count').innerText()).replace(/\D/g, ''))
  for (let known = await count(); known < lines;) {
    await probe.ask('/log?5000', 60_000)
    while ((await count()) < known + 5_000) await delay(20)
    known = await count()
  }
  probe.close()
}

/** @returns from the last key until the second frame after the result stood in the page, ms */
async function measureSearch(page, query, n) {
  const values = []
  for (let i = 0; i < n; i++) {
    values.push(
      await page.evaluate(`new Promise((resolve) => {
        const field = document.querySelector('[data-search]')
        const type = (text) => {
          Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(field, text)
          field.dispatchEvent(new InputEvent('input', { bubbles: true }))
        }
        const found = () => document.querySelector('.search-count').textContent
        const when = (is, then) => requestAnimationFrame(() => (is() ? then() : when(is, then)))
        type('')
        when(() => found() === '', () => {
          const start = performance.now()
          type(${JSON.stringify(query)})
          when(() => found() !== '' && document.querySelector('.log-chosen mark'), () => requestAnimationFrame(() => resolve(performance.now() - start)))
        })
      })`),
    )
    await delay(50)
  }
  return values
}
