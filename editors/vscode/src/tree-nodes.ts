// The resource tree as data. Pure: views in, nodes out.
import {
  buildWords,
  changeWords,
  harmless,
  imagesUsed,
  isAtRest,
  note,
  podWords,
  resourceGroups,
  statusMark,
  stepMark,
  targetWords,
  timeSpan,
} from 'devloop/client'
import type { ErrorInfo, ImageView, PodView, ResourceView, Tone, Views } from 'devloop/client'
import { wholeError } from './problems.js'

/** What a click opens. */
export type Opens =
  | { readonly kind: 'file'; readonly file: string; readonly line: number; readonly column?: number }
  | { readonly kind: 'url'; readonly url: string }

export interface TreeNode {
  /** Stays the same while what it shows changes, so that it stays open or selected. */
  readonly id: string
  readonly label: string
  readonly description?: string
  readonly tooltip?: string
  /** Name of a codicon. */
  readonly icon: string
  readonly tone: Tone
  /** Words by which package.json decides which commands it has. */
  readonly context?: string
  readonly opens?: Opens
  readonly children: readonly TreeNode[]
  readonly expanded?: boolean
  /** Which project and resource it belongs to. */
  readonly devloopfile: string
  readonly resource?: string
}

interface Of {
  readonly devloopfile: string
  readonly resource?: string
  readonly id: string
}

const icons: Readonly<Record<Tone, string>> = {
  good: 'pass-filled',
  bad: 'error',
  busy: 'sync~spin',
  warn: 'warning',
  quiet: 'circle-outline',
  plain: 'circle-outline',
}

/** The resources of one project: in groups, if any has a label. */
export function resourceNodes(devloopfile: string, views: Views): TreeNode[] {
  const groups = resourceGroups(views)
  const nodes = (resources: readonly ResourceView[]): TreeNode[] => resources.map((one) => resourceNode(devloopfile, views, one))
  if (groups.every(({ label }) => label === undefined)) return groups.flatMap(({ resources }) => nodes(resources))
  return groups.map(({ label, resources }) => {
    const enabled = resources.filter((one) => !isAtRest(one))
    return {
      id: `${devloopfile} group ${label ?? ''}`,
      label: label === undefined ? 'no label' : harmless(label),
      description: `${enabled.filter((one) => one.ready).length} of ${enabled.length} ready`,
      icon: 'tag',
      tone: 'plain',
      children: nodes(resources),
      expanded: true,
      devloopfile,
    }
  })
}

function resourceNode(devloopfile: string, views: Views, resource: ResourceView): TreeNode {
  const { name, status, error, warnings, hold, pending, endpoints, links = [], pods, debug, disabled, type } = resource
  const of = (part: string): Of => ({ devloopfile, resource: name, id: `${devloopfile} ${name} ${part}` })
  const said = note(resource).text
  const brief = status === 'failed' ? '' : said
  const children = [
    ...(error ? [errorNode(of('error'), error, 'bad')] : []),
    ...warnings.map((one) => errorNode(of(`warning ${one.code} ${one.message}`), one, 'warn')),
    ...(hold ? [leaf(of('hold'), { label: hold.message, icon: 'watch', tone: hold.code === 'pending' ? 'warn' : 'quiet' })] : []),
    ...(pending ?? { paths: [] }).paths.map((path) =>
      leaf(of(`path ${path}`), { label: path, description: 'not triggered', icon: 'diff-modified', tone: 'warn' }),
    ),
    ...endpoints
      // which has a line of its own
      .filter((one) => !debug || one.name !== 'debug')
      .map((one) =>
        leaf(of(`endpoint ${one.name} ${one.url}`), {
          label: one.url,
          description: [one.name, one.state === 'listening' ? '' : one.state, one.error?.message ?? '']
            .filter(Boolean)
            .join(', '),
          icon: one.state === 'failed' ? 'error' : 'link-external',
          tone: one.state === 'failed' ? 'bad' : 'plain',
          ...(isWeb(one.url) ? { context: 'endpoint', opens: { kind: 'url', url: one.url } as const } : {}),
        }),
      ),
    ...links.map(({ to, address, state, why }) =>
      leaf(of(`link ${to} ${address}`), {
        label: `link to ${to}`,
        description: [state, why ?? ''].filter(Boolean).join(', '),
        icon: 'arrow-right',
        tone: state === 'failed' ? 'bad' : 'plain',
      }),
    ),
    ...(debug
      ? [
          leaf(of('debug'), {
            label: `debugger at ${debug.host}:${debug.port}`,
            description: debug.language,
            icon: 'debug-alt',
            tone: 'plain',
          }),
        ]
      : []),
    ...imagesUsed(views, [resource]).map((one) => imageNode(of(`image ${one.name}`), one)),
    ...pods.map((pod) => podNode(of(`pod ${pod.name}`), pod)),
  ]
  const { tone } = statusMark(resource)
  return {
    ...of(''),
    label: harmless(name),
    description: harmless([status, change(resource), brief.split('\n')[0] ?? ''].filter(Boolean).join(' · ')),
    tooltip: [`${name} (${type}): ${status}`, ...(error ? [wholeError(error)] : said === '' ? [] : [said])].map(lines).join('\n'),
    icon: disabled === undefined ? icons[tone] : 'circle-slash',
    tone,
    context: [
      'resource',
      status === 'disabled' ? 'disabled' : 'enabled',
      ...(status !== 'disabled' && (pods.length > 0 || type === 'local') ? ['restartable'] : []),
      ...(endpoints.some(({ url }) => isWeb(url)) ? ['reachable'] : []),
      ...(debug ? ['debuggable'] : []),
    ].join(' '),
    children,
    expanded: false,
  }
}

/** Without how long ago something was saved: nothing is drawn anew while nothing happens. */
const change = (resource: ResourceView): string =>
  resource.status === 'disabled'
    ? ''
    : resource.lastChange?.outcome === 'pending' && !resource.pending
      ? 'syncing'
      : changeWords(resource, 0).text

function imageNode(of: Of, image: ImageView): TreeNode {
  const { text, tone } = buildWords(image)
  return {
    ...of,
    label: harmless(image.name),
    description: image.state === 'unknown' || image.state === 'pending' ? image.state : text,
    ...(image.reason === undefined ? {} : { tooltip: harmless(image.reason) }),
    icon: image.state === 'building' ? 'sync~spin' : 'package',
    tone: image.state === 'built' ? 'plain' : tone,
    children: image.steps.map((step, index) => {
      const words = stepMark(step)
      return leaf(
        { ...of, id: `${of.id} step ${index}` },
        {
          label: step.name,
          description: step.state === 'cached' ? 'cached' : step.ms === undefined ? step.state : timeSpan(step.ms),
          ...(step.tail ? { tooltip: step.tail.map(harmless).join('\n') } : {}),
          icon: step.state === 'running' ? 'sync~spin' : step.state === 'failed' ? 'error' : 'pass',
          tone: words.tone,
        },
      )
    }),
  }
}

function podNode(of: Of, pod: PodView): TreeNode {
  const { text, tone } = podWords(pod)
  const containers = pod.containers.map(({ name, state, kind, exitCode, error }) => {
    const target = pod.targets.find((one) => one.container === name)
    const synced = target && targetWords(target)
    const ended = state === 'ended' && exitCode !== undefined ? `ended with ${exitCode}` : state
    const problem = target?.error ?? error
    return leaf(
      { ...of, id: `${of.id} container ${name}` },
      {
        label: name,
        description: [kind === 'main' ? '' : kind, ended, synced?.text ?? ''].filter(Boolean).join(', '),
        tooltip: [target?.transport ?? '', problem ? wholeError(problem) : ''].filter(Boolean).join('\n'),
        icon: problem ? 'error' : 'symbol-object',
        tone: problem ? 'bad' : (synced?.tone ?? 'plain'),
      },
    )
  })
  return {
    ...of,
    label: harmless(pod.name),
    description: text,
    icon: 'server-process',
    tone,
    children: containers,
    expanded: false,
  }
}

const errorNode = (of: Of, error: ErrorInfo, tone: 'bad' | 'warn'): TreeNode =>
  leaf(of, {
    label: error.message,
    description: error.code,
    tooltip: wholeError(error),
    icon: tone === 'bad' ? 'error' : 'warning',
    tone,
    ...(error.where ? { opens: { kind: 'file', ...error.where } as const } : {}),
  })

type Leaf = Pick<TreeNode, 'label' | 'icon' | 'tone'> & Partial<Pick<TreeNode, 'description' | 'tooltip' | 'context' | 'opens'>>

/** Text from elsewhere is made one harmless line. */
const leaf = (of: Of, { label, description, tooltip, ...rest }: Leaf): TreeNode => ({
  ...of,
  ...rest,
  label: harmless(label.split('\n')[0] ?? ''),
  ...(description === undefined ? {} : { description: harmless(description.split('\n')[0] ?? '') }),
  ...(tooltip === undefined || tooltip === '' ? {} : { tooltip: lines(tooltip) }),
  children: [],
})

const lines = (text: string): string => text.split('\n').map(harmless).join('\n')

/** Whether a browser is the right one to open it. */
const isWeb = (url: string): boolean => /^https?:\/\//.test(url)
