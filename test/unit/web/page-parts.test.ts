// The address of the page, coloured lines, and the graph as the views tell it.
import { expect, test } from 'vitest'
import type { ImageView, View } from '../../../src/protocol/messages.js'
import { hashOf, routeOf, tokenOf, type Route } from '../../../src/web/address.js'
import { lineSpans } from '../../../src/web/ansi-spans.js'
import { graphOf } from '../../../src/web/graph-model.js'
import { resourceView } from '../../support/status-server.js'

test('each view has an address, and an address that is not known is the overview', () => {
  const routes: Route[] = [
    { view: 'overview' },
    { view: 'graph' },
    { view: 'logs' },
    { view: 'logs', name: 'a/b c%' },
    { view: 'resource', name: '#/?' },
  ]
  for (const route of routes) expect(routeOf(hashOf(route))).toEqual(route)
  for (const hash of ['', '#', '#/nothing', '#/resource', '#/resource/', '#/resource/%zz', '#token=x'])
    expect(routeOf(hash)).toEqual({ view: 'overview' })
  expect(tokenOf('#token=abcdefghijklmnopqrstuvwxyz012345')).toBe('abcdefghijklmnopqrstuvwxyz012345')
  for (const hash of ['', '#token=', '#token=short', '#/token=abcdefghijklmnopqrstuvwxyz', '#token=abcdefghijklmnop qrstuv'])
    expect(tokenOf(hash)).toBeUndefined()
})

test('a line has its colours, and nothing else that it asks a terminal for', () => {
  expect(lineSpans('plain \u001b[2Jtext', '')).toEqual([
    { text: 'plain ', className: '' },
    { text: 'text', className: '' },
  ])
  expect(lineSpans('\u001b[31mred\u001b[1m bold\u001b[0m rest', '')).toEqual([
    { text: 'red', className: 'ansi-red' },
    { text: ' bold', className: 'ansi-red ansi-bold' },
    { text: ' rest', className: '' },
  ])
  expect(lineSpans('\u001b[38;2;1;2;3mtrue\u001b[0m', '')).toEqual([{ text: 'true', className: '', colour: '1, 2, 3' }])
  expect(
    lineSpans('\u001b[38;5;208morange \u001b[38;5;244mgrey\u001b[38;5;9mred\u001b[0m', '').map(
      ({ colour, className }) => colour ?? className,
    ),
  ).toEqual(['255, 135, 0', '128, 128, 128', 'ansi-bright-red'])
  expect(lineSpans('<img src=x onerror=alert(1)>\u202e', '')).toEqual([{ text: '<img src=x onerror=alert(1)>', className: '' }])
})

test('what was searched for is marked, across colours too', () => {
  const marks = (text: string, query: string): string =>
    lineSpans(text, query)
      .map((one) => (one.found ? `[${one.text}]` : one.text))
      .join('|')
  expect(marks('one two One', 'one')).toBe('[one]| two |[One]')
  expect(marks('a\u001b[31mbc\u001b[0md', 'bcd')).toBe('a|[bc]|[d]')
  expect(marks('aaaa', 'aa')).toBe('[aa]|[aa]')
  expect(marks('nothing', 'x')).toBe('nothing')
})

test('the graph has an edge for each need, each thing that is waited for, and each image, with bases one by one', () => {
  const image = (name: string, bases: readonly string[]): ImageView => ({
    kind: 'image',
    name,
    state: 'built',
    steps: [],
    files: 1,
    overlay: 0,
    bases,
  })
  const views: View[] = [
    image('base', []),
    image('mid', ['base']),
    image('top', ['mid', 'base']),
    resourceView('db'),
    { ...resourceView('api'), order: 1, images: ['top'], needs: ['db', 'gone'], rebuildAfter: ['db', 'gen'] },
    { ...resourceView('gen'), order: 2 },
  ]
  const { nodes, links } = graphOf(new Map(views.map((view) => [`${view.kind}/${view.name}`, view])))
  expect(nodes.map(({ id }) => id)).toEqual([
    'image/base',
    'image/mid',
    'image/top',
    'resource/db',
    'resource/api',
    'resource/gen',
  ])
  expect(links.map(({ from, to, kind }) => `${kind} ${from} ${to}`).sort()).toEqual([
    'after resource/gen resource/api',
    'image image/base image/mid',
    'image image/mid image/top',
    'image image/top resource/api',
    'needs resource/db resource/api',
  ])
})
