// What `why` answers, as a list to choose from. Pure.
import { harmless, type WhyResult } from 'devloop/client'
import { withoutIcons } from './status-text.js'

export interface WhyItem {
  readonly label: string
  readonly description: string
  readonly detail: string
  /** Where the rule stands. */
  readonly at?: { readonly file: string; readonly line: number }
}

const icons: Readonly<Record<string, string>> = {
  sync: 'zap',
  rebuild: 'package',
  ignore: 'circle-slash',
  run: 'terminal',
  reload: 'refresh',
}

/** One for each image, local and so on that the file belongs to; one that says so where there is none. */
export function whyItems({ answers }: WhyResult): WhyItem[] {
  if (answers.length === 0)
    return [{ label: '$(circle-slash) nothing watches this file', description: '', detail: 'A save of it does nothing.' }]
  return answers.map(({ subject, action, rule, at, effects }) => {
    const place = /^(.+):(\d+)$/.exec(at ?? '')
    return {
      label: `$(${icons[action] ?? 'question'}) ${withoutIcons(`${subject}: ${action}`)}`,
      description: withoutIcons(`by ${rule}`),
      detail: withoutIcons(effects.map(harmless).join(' · ')),
      ...(place ? { at: { file: place[1] ?? '', line: Number(place[2]) } } : {}),
    }
  })
}
