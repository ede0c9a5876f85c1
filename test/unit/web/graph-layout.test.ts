// Where the nodes of the dependency graph stand.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { layoutGraph, pathData, type GraphLayout } from '../../../src/web/graph-layout.js'

const size = { width: 100, height: 40, layerGap: 50, nodeGap: 10 }
const edge = (from: string, to: string): { from: string; to: string } => ({ from, to })
const xs = ({ nodes }: GraphLayout): Record<string, number> => Object.fromEntries([...nodes].map(([id, { x }]) => [id, x / 150]))

test('what comes first stands at the left, by the longest way, and what follows nothing beside what it leads to', () => {
  const layout = layoutGraph(['d', 'a', 'b', 'c', 'e'], [edge('a', 'b'), edge('b', 'c'), edge('a', 'c'), edge('d', 'c')], size)
  expect(xs(layout)).toEqual({ a: 0, b: 1, c: 2, d: 1, e: 0 })
  expect(layout.width).toBe(400)
  // the long edge has a bend in the layer that it passes
  expect(layout.edges.map(({ from, to, points }) => `${from}${to}${points.length}`)).toEqual(['ab2', 'bc2', 'ac4', 'dc2'])
  expect(pathData(layout.edges[0]!.points)).toMatch(/^M 100 /)
})

test('edges that need not cross do not', () => {
  const layout = layoutGraph(['a', 'b', 'x', 'y'], [edge('a', 'y'), edge('b', 'x')], size)
  const y = (id: string): number => layout.nodes.get(id)!.y
  expect(y('a') < y('b')).toBe(y('y') < y('x'))
})

test('a chain stands in one line', () => {
  const layout = layoutGraph(['a', 'b', 'c'], [edge('a', 'b'), edge('b', 'c')], size)
  expect(new Set([...layout.nodes.values()].map(({ y }) => y)).size).toBe(1)
  expect(layout.height).toBe(40)
})

test('an empty graph has no size', () => {
  expect(layoutGraph([], [], size)).toMatchObject({ width: 0, height: 0, edges: [] })
})

test('whatever the edges, cycles and unknown names too: no node upon another, none outside, every edge from side to side', () => {
  const id = fc.constantFrom<string[]>('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h')
  const edges = fc.array(fc.record({ from: id, to: fc.oneof(id, fc.constant('unknown')) }), { maxLength: 24 })
  fc.assert(
    fc.property(fc.uniqueArray(id), edges, (ids, list) => {
      const { nodes, width, height, edges: drawn } = layoutGraph(ids, list, size)
      const corners = ids.map((one) => nodes.get(one)!)
      expect(corners.every(({ x, y }) => x >= -0.01 && y >= -0.01 && x + 100 <= width + 0.01 && y + 40 <= height + 0.01)).toBe(
        true,
      )
      for (const [i, a] of corners.entries())
        for (const b of corners.slice(i + 1)) expect(a.x !== b.x || Math.abs(a.y - b.y) >= 40 + 10 - 0.01).toBe(true)
      const wanted = list.filter(({ from, to }) => from !== to && ids.includes(from) && ids.includes(to))
      expect(drawn.map(({ from, to }) => [from, to])).toEqual(wanted.map(({ from, to }) => [from, to]))
      for (const { from, to, points } of drawn) {
        const ends = [points[0]!.y, points.at(-1)!.y]
        expect(ends.map(Math.round)).toEqual([nodes.get(from)!.y + 20, nodes.get(to)!.y + 20].map(Math.round))
      }
    }),
  )
})
