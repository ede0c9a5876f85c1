// Resources as a command line names them: by name, as `label:NAME`, or by `-l NAME`.
import { Option } from 'commander'

export interface SelectionOptions {
  readonly label?: readonly string[]
}

/** An option that may be given several times. */
export const several = (flags: string, description: string): Option =>
  new Option(flags, description).argParser((value: string, before: readonly string[] | undefined): readonly string[] => [
    ...(before ?? []),
    value,
  ])

/** `-l backend`, as often as needed. */
export const labelOption = (): Option =>
  several('-l, --label <label>', 'all resources with this label (as `label:<label>`); may be given again')

/** Names and `label:NAME`, as requests take them. */
export const selectors = (names: readonly string[], { label = [] }: SelectionOptions): readonly string[] => [
  ...names,
  ...label.map((one) => `label:${one}`),
]
