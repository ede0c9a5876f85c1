// Places the nodes of a directed graph in layers, what others come after at the left: longest paths make the layers, barycentres
// the order in them, and each node stands as near to the middle of its neighbours as the others let it. Pure.

export interface GraphEdge {
  readonly from: string
  readonly to: string
}

export interface LayoutOptions {
  /** Of every node. */
  readonly width: number
  readonly height: number
  /** Between layers, and between nodes of one. */
  readonly layerGap: number
  readonly nodeGap: number
}

export interface GraphLayout {
  readonly width: number
  readonly height: number
  /** Upper left corners. */
  readonly nodes: ReadonlyMap<string, { readonly x: number; readonly y: number }>
  /** In the order they were given; edges of unknown nodes or from a node to itself are left out. Points from the right side of `from` to the left side of `to`. */
  readonly edges: readonly (GraphEdge & { readonly points: readonly { readonly x: number; readonly y: number }[] })[]
}

/** A node, or a place in a layer through which a long edge goes. */
interface Cell {
  readonly id: string | undefined
  readonly layer: number
  readonly before: Cell[]
  readonly after: Cell[]
  place: number
  middle: number
}

const sweeps = 12

/** @param ids in the order that nodes of a layer have to begin with */
export function layoutGraph(ids: readonly string[], edges: readonly GraphEdge[], options: LayoutOptions): GraphLayout {
  const known = new Set(ids)
  const used = edges.filter(({ from, to }) => from !== to && known.has(from) && known.has(to))
  const forward = withoutCycles(ids, used)
  const layerOf = layersOf(ids, forward)
  const cells = new Map<string, Cell>(ids.map((id) => [id, makeCell(id, layerOf.get(id) ?? 0)]))
  const layers: Cell[][] = []
  for (const cell of cells.values()) (layers[cell.layer] ??= []).push(cell)
  const ways = forward.map((edge) => wayOf(cells.get(edge.from)!, cells.get(edge.to)!, layers))
  order(layers)
  placeCells(layers, options)

  const x = (layer: number): number => layer * (options.width + options.layerGap)
  const all = layers.flat()
  const top = Math.min(...all.map(({ id, middle }) => middle - sizeOf(options, id) / 2))
  const y = (cell: Cell): number => cell.middle - top
  const height = Math.max(0, ...all.map((cell) => y(cell) + sizeOf(options, cell.id) / 2))
  return {
    width: layers.length === 0 ? 0 : x(layers.length - 1) + options.width,
    height,
    nodes: new Map([...cells].map(([id, cell]) => [id, { x: x(cell.layer), y: y(cell) - options.height / 2 }])),
    edges: used.map((edge) => {
      const index = forward.findIndex((one) => sameEnds(one, edge))
      const way = ways[index] ?? []
      const points = way.flatMap((cell, at) => {
        const [left, right] = [
          { x: x(cell.layer), y: y(cell) },
          { x: x(cell.layer) + options.width, y: y(cell) },
        ]
        return at === 0 ? [right] : at === way.length - 1 ? [left] : [left, right]
      })
      // an edge that was turned around to lay it out
      const turned = forward[index]?.from === edge.to
      return { ...edge, points: turned ? points.toReversed() : points }
    }),
  }
}

const sameEnds = (a: GraphEdge, b: GraphEdge): boolean =>
  (a.from === b.from && a.to === b.to) || (a.from === b.to && a.to === b.from)

const makeCell = (id: string | undefined, layer: number): Cell => ({ id, layer, before: [], after: [], place: 0, middle: 0 })

/** One edge for each pair of nodes, and those that close a cycle turned around. */
function withoutCycles(ids: readonly string[], edges: readonly GraphEdge[]): GraphEdge[] {
  const after = new Map<string, string[]>()
  for (const { from, to } of edges) after.set(from, [...(after.get(from) ?? []), to])
  const result = new Map<string, GraphEdge>()
  const state = new Map<string, 'open' | 'done'>()
  const add = (edge: GraphEdge): void => {
    if (![...result.values()].some((one) => one.from === edge.to && one.to === edge.from))
      result.set(JSON.stringify([edge.from, edge.to]), edge)
  }
  const visit = (id: string): void => {
    state.set(id, 'open')
    for (const to of after.get(id) ?? []) {
      if (state.get(to) === 'open') add({ from: to, to: id })
      else {
        add({ from: id, to })
        if (!state.has(to)) visit(to)
      }
    }
    state.set(id, 'done')
  }
  for (const id of ids) if (!state.has(id)) visit(id)
  return [...result.values()]
}

/** Each node right of all it comes after, and one that comes after nothing close to what follows it. */
function layersOf(ids: readonly string[], edges: readonly GraphEdge[]): Map<string, number> {
  const before = new Map<string, string[]>()
  const after = new Map<string, string[]>()
  for (const { from, to } of edges) {
    before.set(to, [...(before.get(to) ?? []), from])
    after.set(from, [...(after.get(from) ?? []), to])
  }
  const layers = new Map<string, number>()
  const layerOf = (id: string): number => {
    const knownLayer = layers.get(id)
    if (knownLayer !== undefined) return knownLayer
    const layer = Math.max(-1, ...(before.get(id) ?? []).map(layerOf)) + 1
    layers.set(id, layer)
    return layer
  }
  for (const id of ids) layerOf(id)
  for (const id of ids) {
    const next = after.get(id)
    if (!before.has(id) && next) layers.set(id, Math.min(...next.map((one) => layers.get(one) ?? 1)) - 1)
  }
  return layers
}

/** The cells from one node to another, of which those in between are made here. */
function wayOf(from: Cell, to: Cell, layers: Cell[][]): readonly Cell[] {
  const between = Array.from({ length: to.layer - from.layer - 1 }, (_, i) => makeCell(undefined, from.layer + 1 + i))
  for (const cell of between) layers[cell.layer]!.push(cell)
  const way = [from, ...between, to]
  for (const [i, cell] of way.entries()) {
    const next = way[i + 1]
    if (!next) break
    cell.after.push(next)
    next.before.push(cell)
  }
  return way
}

/** Sorts each layer by where its neighbours stand, there and back again, and keeps the order with the fewest crossings. */
function order(layers: Cell[][]): void {
  const number = (layer: readonly Cell[]): void => layer.forEach((cell, place) => (cell.place = place))
  layers.forEach(number)
  let best = layers.map((layer) => [...layer])
  let fewest = crossings(layers)
  for (let sweep = 0; sweep < sweeps && fewest > 0; sweep++) {
    const down = sweep % 2 === 0
    for (const layer of down ? layers : layers.toReversed()) {
      const neighbours = (cell: Cell): readonly Cell[] => (down ? cell.before : cell.after)
      const wanted = new Map(layer.map((cell) => [cell, mean(neighbours(cell).map((one) => one.place)) ?? cell.place]))
      layer.sort((a, b) => wanted.get(a)! - wanted.get(b)! || a.place - b.place)
      number(layer)
    }
    const count = crossings(layers)
    if (count < fewest) [fewest, best] = [count, layers.map((layer) => [...layer])]
  }
  best.forEach((layer, i) => {
    // what has no edges would only lengthen those of others
    layers[i] = [...layer.filter(hasEdges), ...layer.filter((cell) => !hasEdges(cell))]
    number(layers[i])
  })
}

const hasEdges = ({ before, after }: Cell): boolean => before.length + after.length > 0

function crossings(layers: readonly (readonly Cell[])[]): number {
  let count = 0
  for (const layer of layers) {
    const ends = layer.flatMap((cell) => cell.after.map((one) => one.place).sort((a, b) => a - b))
    for (let i = 0; i < ends.length; i++) for (let j = i + 1; j < ends.length; j++) if (ends[i]! > ends[j]!) count++
  }
  return count
}

function placeCells(layers: readonly (readonly Cell[])[], options: LayoutOptions): void {
  for (const layer of layers) {
    let end = 0
    for (const cell of layer) {
      const size = sizeOf(options, cell.id)
      cell.middle = end + size / 2
      end += size + options.nodeGap
    }
  }
  for (let sweep = 0; sweep < sweeps; sweep++) {
    const down = sweep % 2 === 0
    for (const layer of down ? layers : layers.toReversed()) {
      const wanted = layer.map((cell) => {
        const near = [...cell.before, ...cell.after].map((one) => one.middle)
        return mean(near) ?? cell.middle
      })
      apart(layer, wanted, options).forEach((middle, i) => (layer[i]!.middle = middle))
    }
  }
}

/** As near as can be to where they want to stand, in this order and with a gap: monotone regression by pooling. */
function apart(layer: readonly Cell[], wanted: readonly number[], options: LayoutOptions): number[] {
  const offsets: number[] = []
  layer.forEach((cell, i) => {
    const last = layer[i - 1]
    offsets.push(last ? offsets[i - 1]! + (sizeOf(options, last.id) + sizeOf(options, cell.id)) / 2 + options.nodeGap : 0)
  })
  const pools: { sum: number; count: number }[] = []
  wanted.forEach((value, i) => {
    let pool = { sum: value - offsets[i]!, count: 1 }
    for (let last = pools.at(-1); last && last.sum / last.count > pool.sum / pool.count; last = pools.at(-1)) {
      pools.pop()
      pool = { sum: last.sum + pool.sum, count: last.count + pool.count }
    }
    pools.push(pool)
  })
  const values = pools.flatMap(({ sum, count }) => Array<number>(count).fill(sum / count))
  return values.map((value, i) => value + offsets[i]!)
}

/** An edge that passes needs less room than a node. */
const sizeOf = ({ height }: LayoutOptions, id: string | undefined): number => (id === undefined ? height / 3 : height)

const mean = (values: readonly number[]): number | undefined =>
  values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length

/** The way through the points as data of an SVG path: straight along the nodes it passes, curved between the layers. */
export function pathData(points: readonly { readonly x: number; readonly y: number }[]): string {
  const [start, ...rest] = points
  if (!start) return ''
  let last = start
  const parts = rest.map((point) => {
    const bend = (point.x - last.x) / 2
    const straight = last.y === point.y
    const part = straight
      ? `L ${point.x} ${point.y}`
      : `C ${last.x + bend} ${last.y}, ${point.x - bend} ${point.y}, ${point.x} ${point.y}`
    last = point
    return part
  })
  return [`M ${start.x} ${start.y}`, ...parts].join(' ')
}
