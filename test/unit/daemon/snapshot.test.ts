// The page as one file: its policy names exactly what is in it, and no text of a log ends an element.
import { createHash } from 'node:crypto'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { inOneFile } from '../../../src/daemon/snapshot.js'

const files = {
  html: `<!doctype html><html><head><meta charset="utf-8" />
<script type="module" crossorigin src="./page.js"></script><link rel="stylesheet" crossorigin href="./page.css"></head><body></body></html>`,
  script: "const end = '</script>', comment = '<!--'; document.title = end + comment",
  style: 'body { color: red } /* </style> */',
}
const log = { at: 1, resource: 'web', source: 'run', level: 'info', text: '</script><script>alert(1)</script><!--' } as const

test('script, style and data are in it, each whole, and allowed by hash', () => {
  const html = inOneFile(files, { format: 1, at: 1, version: '1', views: [], logs: [{ cursor: 1, ...log }] })
  const between = (start: RegExp, end: string): string => {
    const from = start.exec(html)
    const begin = (from?.index ?? -1) + (from?.[0].length ?? 0)
    return html.slice(begin, html.indexOf(end, begin))
  }
  const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
  const script = between(/<script type="module">/, '</script>')
  expect(script).toContain('document.title')
  expect(html).toContain(`script-src ${hashOf(script)};`)
  const style = between(/<style>/, '</style>')
  expect(style).toContain('color: red')
  expect(html).toContain(`style-src ${hashOf(style)};`)
  expect(JSON.parse(between(/<script type="application\/json" id="devloop-frozen">/, '</script>'))).toMatchObject({ logs: [log] })
  expect(html.indexOf('Content-Security-Policy')).toBeLessThan(html.indexOf('<script'))
  expect(html.match(/<script/g)).toHaveLength(2)
  expect(html).not.toMatch(/ (?:src|href)=/)
  // its strings are still what they were
  const shown = { title: '' }
  runInNewContext(script, { document: shown })
  expect(shown.title).toBe('</script><!--')
})

test('another page than was built is a defect', () => {
  expect(() => inOneFile({ ...files, html: '<html></html>' }, { format: 1, at: 1, version: '1', views: [], logs: [] })).toThrow(
    'not what it was built to be',
  )
})
