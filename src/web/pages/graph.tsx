// The dependency graph, drawn: what comes first at the left.
import { useMemo, useState } from 'preact/hooks'
import { hashOf } from '../address.js'
import { layoutGraph, pathData } from '../graph-layout.js'
import { graphOf, type Graph, type GraphNode } from '../graph-model.js'
import { usePage } from '../page-context.js'

const size = { width: 180, height: 52, layerGap: 60, nodeGap: 16 }
const margin = 12

export function GraphPage() {
  const views = usePage().views.value
  const graph = graphOf(views)
  const [chosen, setChosen] = useState<string>()
  const [fit, setFit] = useState(false)
  // placed anew only when nodes or edges change, not at each status
  const shape = JSON.stringify([graph.nodes.map(({ id }) => id), graph.links.map(({ from, to }) => [from, to])])
  const layout = useMemo(
    () =>
      layoutGraph(
        graph.nodes.map(({ id }) => id),
        graph.links,
        size,
      ),
    [shape],
  )
  if (graph.nodes.length === 0) return <p class="empty">There is nothing to draw yet.</p>
  const near = chosen === undefined ? undefined : neighbours(graph, chosen)
  const dim = (...ids: readonly string[]): string => (near && !ids.every((id) => near.has(id)) ? ' graph-dim' : '')
  const [width, height] = [layout.width + 2 * margin, layout.height + 2 * margin]
  return (
    <>
      <h2>Dependencies</h2>
      <ul class="legend">
        <li>
          <Line kind="needs" /> needs it ready
        </li>
        <li>
          <Line kind="after" /> is done again after it
        </li>
        <li>
          <Line kind="image" /> is made of the image
        </li>
        <li>
          <button type="button" class="button" aria-pressed={fit} onClick={() => setFit(!fit)}>
            Fit
          </button>
        </li>
      </ul>
      <div class={fit ? 'graph graph-fit' : 'graph'} tabIndex={0} role="region" aria-label="Dependency graph">
        <svg
          width={fit ? '100%' : width}
          height={fit ? '100%' : height}
          viewBox={`${-margin} ${-margin} ${width} ${height}`}
          role="group"
          aria-label="Resources and images"
        >
          <defs>
            <marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
              <path d="M0 0.5L7 4L0 7.5" class="graph-arrow" />
            </marker>
          </defs>
          {layout.edges.map(({ from, to, points }) => {
            const kind = graph.links.find((one) => one.from === from && one.to === to)?.kind ?? 'needs'
            return (
              <path
                key={`${from} ${to}`}
                class={`graph-edge graph-${kind}${dim(from, to)}`}
                d={pathData(points)}
                marker-end="url(#arrow)"
                aria-hidden="true"
              />
            )
          })}
          {graph.nodes.map((node) => {
            const { x, y } = layout.nodes.get(node.id) ?? { x: 0, y: 0 }
            return (
              <Node
                key={node.id}
                node={node}
                x={x}
                y={y}
                label={labelOf(graph, node)}
                class={dim(node.id)}
                enter={() => setChosen(node.id)}
                leave={() => setChosen(undefined)}
              />
            )
          })}
        </svg>
      </div>
    </>
  )
}

interface NodeProps {
  readonly node: GraphNode
  readonly x: number
  readonly y: number
  readonly label: string
  readonly class: string
  readonly enter: () => void
  readonly leave: () => void
}

function Node({ node, x, y, label, class: more, enter, leave }: NodeProps) {
  const { kind, name, status, tone, note } = node
  const inside = (
    <>
      {/* its name for those who do not see it, too */}
      <title>{label}</title>
      <rect width={size.width} height={size.height} rx={kind === 'image' ? size.height / 2 : 10} />
      <circle class={`tone-${tone}`} cx="20" cy={size.height / 2} r="5" />
      <text class="graph-name" x="34" y="22">
        {shorten(name, 18)}
      </text>
      <text class={`graph-status tone-${tone}`} x="34" y="40">
        {shorten(note === '' ? status : `${status}: ${note}`, 22)}
      </text>
    </>
  )
  const props = {
    class: `graph-node graph-node-${kind}${more}`,
    transform: `translate(${x} ${y})`,
    onPointerEnter: enter,
    onPointerLeave: leave,
    onFocusIn: enter,
    onFocusOut: leave,
  }
  return kind === 'resource' ? (
    <a {...props} href={hashOf({ view: 'resource', name })} data-row data-resource={name}>
      {inside}
    </a>
  ) : (
    <g {...props} role="img">
      {inside}
    </g>
  )
}

const Line = ({ kind }: { readonly kind: string }) => (
  <svg width="34" height="10" aria-hidden="true">
    <path class={`graph-edge graph-${kind}`} d="M1 5H33" />
  </svg>
)

/** For those who do not see the lines: the node and what it comes after. */
function labelOf({ nodes, links }: Graph, { id, kind, name, status, note }: GraphNode): string {
  const before = (...kinds: string[]): string =>
    links
      .filter((one) => one.to === id && kinds.includes(one.kind))
      .map(({ from }) => nodes.find((one) => one.id === from)?.name)
      .join(', ')
  const [needs, after, images] = [before('needs'), before('after'), before('image')]
  return [
    `${kind} ${name}: ${status}${note === '' ? '' : `, ${note}`}`,
    ...(needs ? [`needs ${needs}`] : []),
    ...(after ? [`comes after ${after}`] : []),
    ...(images ? [`made of ${images}`] : []),
  ].join('; ')
}

function neighbours({ links }: Graph, id: string): ReadonlySet<string> {
  const near = links.flatMap(({ from, to }) => (from === id ? [to] : to === id ? [from] : []))
  return new Set([id, ...near])
}

const shorten = (text: string, length: number): string => (text.length <= length ? text : `${text.slice(0, length - 1)}…`)
