// Everything that is known of one resource, or of the whole, as lines.
import { changeEnd, changeTitle, changeWhy, stagesText } from '../../client/status/change-words.js'
import { errorLines } from '../../client/status/error-text.js'
import { harmless } from '../../client/status/harmless.js'
import { buildWords, stepMark, stepTime } from '../../client/status/image-words.js'
import { changeWords, linkName, podWords, statusMark, targetWords } from '../../client/status/resource-words.js'
import { dayWords, placeWords, sessionNotes } from '../../client/status/session-words.js'
import { timeSpan } from '../../client/status/time-span.js'
import type { Tone } from '../../client/status/tone.js'
import { troublesOf } from '../../client/status/troubles.js'
import { changesFor, changesOf, imagesOf, imagesUsed, sessionOf, type Views } from '../../client/status/views.js'
import type { ErrorInfo } from '../../errors/devloop-error.js'
import type { ChangeView, ContainerView, ImageView, PodView, ResourceView } from '../../protocol/messages.js'
import { fit, pad, wrap } from '../render/fit.js'
import type { RowOptions } from '../render/rows.js'
import { tonePaint } from '../render/tone-style.js'

/** Lines under a word in the margin. An indent stays where a line is wrapped. */
interface Section {
  readonly title: string
  readonly lines: readonly Line[]
}

interface Line {
  readonly text: string
  readonly tone?: Tone
}

const margin = 9
/** Changes that are told of a resource, newest first. */
const mostChanges = 5

/** All of a resource: what is wrong, what it does or waits for, builds, pods, addresses, changes. No line is wider than `columns`. */
export function resourceDetails(views: Views, one: ResourceView, options: RowOptions): string[] {
  const change = changeWords(one, options.now)
  const { status, type, error, warnings, activity, hold, pending, needs, rebuildAfter, labels, trigger, auto, debug, endpoints } =
    one
  const mark = statusMark(one)
  const more = [type, ...(trigger === 'manual' ? ['triggered by hand'] : []), ...(auto ? [] : ['does not start by itself'])]
  const sections: Section[] = [
    {
      title: 'status',
      lines: [
        { text: `${mark.text} ${status} since ${clock(one.since)}`, tone: mark.tone },
        ...(change.text === '' ? [] : [{ text: `  ${change.text}`, tone: change.tone }]),
      ],
    },
    ...errors(error === undefined ? [] : [error], 'error'),
    ...texts('does', activity === undefined ? [] : [activity]),
    ...texts('waits', hold ? [hold.message] : [], hold?.code === 'pending' ? 'warn' : 'quiet'),
    ...texts('pending', pending ? [...pending.paths, ...hidden(pending.pathCount - pending.paths.length, 'path')] : []),
    ...errors(warnings, 'warning'),
    ...imagesUsed(views, [one]).map((image) => imageSection(image, options.now)),
    {
      title: 'address',
      lines: endpoints.flatMap(({ name, url, state, error: broken }) => [
        { text: `${url}  ${name}, ${state}`, tone: state === 'failed' ? 'bad' : state === 'listening' ? 'plain' : 'quiet' },
        ...(broken ? errorLines(broken).map((text) => ({ text: `  ${text}`, tone: 'bad' as const })) : []),
      ]),
    },
    ...one.pods.map(podSection),
    {
      title: 'reaches',
      lines: (one.links ?? []).map((link) => ({
        text: `${linkName(link)}  ${link.state}${link.why === undefined ? '' : `: ${link.why}`}`,
        tone: link.state === 'ok' ? 'good' : link.state === 'failed' ? 'bad' : 'quiet',
      })),
    },
    ...texts(
      'debug',
      debug ? [`${debug.language} at ${debug.host}:${debug.port}${debug.process === undefined ? ', not running' : ''}`] : [],
    ),
    ...texts('needs', needs.length > 0 ? [needs.join(', ')] : []),
    ...texts('after', rebuildAfter.length > 0 ? [rebuildAfter.join(', ')] : []),
    ...texts('labels', labels.length > 0 ? [labels.join(', ')] : []),
    ...texts('type', [more.join(', ')], 'quiet'),
    changeSection(changesFor(views, one)),
  ]
  return written(sections, options)
}

/** All that belongs to no single resource, and the newest changes and builds of all. No line is wider than `columns`. */
export function sessionDetails(views: Views, options: RowOptions): string[] {
  const session = sessionOf(views)
  if (!session) return []
  const { devloopfile, startedAt, version, pid, args, only, choices } = session
  const troubles = troublesOf(views)
  const of = (level: 'error' | 'warning'): Section[] =>
    troubles
      .filter((one) => one.level === level)
      .flatMap(({ subjects, error }) => errors([{ ...error, message: `${subjects.join(', ')}: ${error.message}` }], level))
  const day = dayWords(session)
  return written(
    [
      ...of('error'),
      ...texts('runs', [`${session.project} on ${placeWords(session)}`]),
      ...sessionNotes(session).map(({ text, tone }) => ({ title: '', lines: [{ text, tone }] })),
      ...texts('today', day === '' ? [] : [day.replace(/^today /, '')]),
      ...texts('plan', [
        devloopfile.file,
        ...(devloopfile.generation > 0
          ? [
              `plan ${devloopfile.generation}${devloopfile.loadMs === undefined ? '' : `, loaded in ${timeSpan(devloopfile.loadMs)}`}`,
            ]
          : []),
      ]),
      ...texts('args', args.length > 0 ? [args.join(' ')] : []),
      ...texts('only', only.length > 0 ? [only.join(', ')] : []),
      ...texts(
        'choices',
        choices
          ? [
              Object.entries(choices)
                .map(([name, way]) => `${name}: ${way}`)
                .join(', '),
            ]
          : [],
      ),
      ...texts('daemon', [`devloop ${version}, process ${pid}, since ${clock(startedAt)}`], 'quiet'),
      ...of('warning'),
      ...imagesOf(views)
        .filter(({ state, buildMs }) => state === 'building' || buildMs !== undefined)
        .map((image) => imageSection(image, options.now)),
      changeSection(changesOf(views)),
    ],
    options,
  )
}

const texts = (title: string, lines: readonly string[], tone: Tone = 'plain'): Section[] =>
  lines.length === 0 ? [] : [{ title, lines: lines.map((text) => ({ text, tone })) }]

const errors = (all: readonly ErrorInfo[], title: 'error' | 'warning'): Section[] =>
  all.map((one) => ({ title, lines: errorLines(one).map((text) => ({ text, tone: title === 'error' ? 'bad' : 'warn' })) }))

const hidden = (count: number, what: string): string[] =>
  count > 0 ? [`and ${count} more ${what}${count === 1 ? '' : 's'}`] : []

/** Whole while it is built or has failed; later in a line. */
function imageSection(image: ImageView, now: number): Section {
  const { name, state, reason, stage, steps, overlay, error, buildMs } = image
  const words = buildWords(image)
  const was = buildMs === undefined && state !== 'building' ? (state === 'built' ? 'built before' : state) : words.text
  const open = state === 'building' || state === 'failed'
  return {
    title: 'image',
    lines: [
      { text: `${name}  ${was}`, tone: words.tone },
      ...(reason !== undefined && open ? [{ text: `  because ${reason}`, tone: 'quiet' as const }] : []),
      ...(overlay > 0 ? [{ text: `  ${overlay} file${overlay === 1 ? '' : 's'} synced since`, tone: 'quiet' as const }] : []),
      ...(open ? steps : []).flatMap((step) => {
        const mark = stepMark(step)
        return [
          {
            text: `  ${mark.text} ${stepTime(step, now).padStart(7)}  ${step.name}`,
            tone: mark.tone === 'good' ? 'plain' : mark.tone,
          },
          ...(step.tail ?? []).map((text) => ({ text: `             ${text}`, tone: 'quiet' as const })),
        ] as Line[]
      }),
      ...(state === 'building' && stage !== undefined && stage !== 'build'
        ? [{ text: `  ${stage === 'push' ? 'pushing' : 'reading the context'}`, tone: 'busy' as const }]
        : []),
      ...(error ? errorLines(error).map((text) => ({ text: `  ${text}`, tone: 'bad' as const })) : []),
    ],
  }
}

function podSection({ containers, targets, ...pod }: PodView): Section {
  const words = podWords({ ...pod, containers, targets })
  return {
    title: 'pod',
    lines: [
      { text: `${pod.name}  ${words.text}${pod.current ? '' : ', of an earlier version'}`, tone: words.tone },
      ...containers.flatMap((container) => {
        const target = targets.find((one) => one.container === container.name)
        return [
          {
            text: `  ${container.name}  ${containerWords(container)}`,
            tone: container.error ? ('bad' as const) : ('plain' as const),
          },
          ...(target
            ? [
                {
                  text: `    files ${targetWords(target).text}${target.transport === undefined ? '' : `  ${target.transport}`}`,
                  tone: targetWords(target).tone,
                },
              ]
            : []),
          ...(target?.returns ? [{ text: `    comes back: ${target.returns.how}`, tone: 'quiet' as const }] : []),
          ...(target?.returns?.conflicts?.first ?? []).map(({ path, message }) => ({
            text: `    ${path}: ${message}`,
            tone: 'warn' as const,
          })),
          ...[container.error, target?.error, target?.returns?.error]
            .filter((one) => one !== undefined)
            .flatMap((one) => errorLines(one).map((text) => ({ text: `    ${text}`, tone: 'bad' as const }))),
        ]
      }),
    ],
  }
}

function containerWords({ kind, state, exitCode, restarts }: ContainerView): string {
  const ended = state === 'ended' && exitCode !== undefined ? `ended with ${exitCode}` : state
  return [
    ...(kind === 'main' ? [] : [kind]),
    ended,
    ...(restarts > 0 ? [`${restarts} restart${restarts === 1 ? '' : 's'}`] : []),
  ].join(', ')
}

const changeSection = (changes: readonly ChangeView[]): Section => ({
  title: 'changes',
  lines: changes
    .slice(-mostChanges)
    .toReversed()
    .flatMap((change) => {
      const end = changeEnd(change)
      const why = changeWhy(change)
      return [
        { text: `${clock(change.at)}  ${changeTitle(change)}  ${end.text}`, tone: end.tone },
        ...(change.stages.length > 0 ? [{ text: `          ${stagesText(change)}`, tone: 'quiet' as const }] : []),
        ...why.map((text) => ({ text: `          ${text}`, tone: 'quiet' as const })),
      ]
    }),
})

/** HH:MM:SS, local. */
export const clock = (at: number): string => new Date(at).toTimeString().slice(0, 8)

function written(sections: readonly Section[], { style, columns }: RowOptions): string[] {
  // where there is little room, none is spent on a margin
  const left = columns >= 40 ? margin : 0
  return sections
    .filter(({ lines }) => lines.length > 0)
    .flatMap(({ title, lines }) => {
      const rows = lines.flatMap(({ text, tone = 'plain' }) => wrap(harmless(text), columns - left).map(tonePaint(tone, style)))
      if (left === 0) return [...(title === '' ? [] : [style.bold(fit(title, columns))]), ...rows]
      return rows.map((row, index) => `${index === 0 ? style.bold(pad(title, left)) : ' '.repeat(left)}${row}`)
    })
    .map((line) => fit(line, columns).trimEnd())
}
