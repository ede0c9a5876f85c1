// What is wrong at a known place, one line each, for problem matchers: promised in docs/cli.md.
import { harmless } from '../../client/status/harmless.js'
import { troublesOf } from '../../client/status/troubles.js'
import type { Views } from '../../client/status/views.js'

/**
 * Everything that is wrong now and has a place, as `FILE:LINE:COLUMN: error: SUBJECTS: MESSAGE [CODE]`; errors first, then `warning`s.
 * A line or column that is not known is 1.
 */
export const problemLines = (views: Views): readonly string[] =>
  troublesOf(views).flatMap(({ level, subjects, error: { where, message, code } }) =>
    where
      ? [
          harmless(
            `${where.file}:${where.line}:${where.column ?? 1}: ${level}: ${subjects.join(', ')}: ${message.replaceAll('\n', ' ')} [${code}]`,
          ),
        ]
      : [],
  )

/** A list of such lines, as a block that a background problem matcher takes for one cycle. */
export const problemBlock = (lines: readonly string[]): readonly string[] => [
  'problems begin',
  ...lines,
  `problems end: ${lines.length}`,
]
