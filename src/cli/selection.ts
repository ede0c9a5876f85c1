// Resources as a command line names them: by name, as `label:NAME`, or by `-l NAME`.
import { Option } from 'commander'

export interface SelectionOptions {
  readonly label?: readonly string[]
}

/** `-l backend`, as often as needed. */
export const labelOption = (): Option =>
  new Option('-l, --label <label>', 'all resources with this label (as `label:<label>`); may be given again').argParser(
    (label: string, before: readonly string[] | undefined): readonly string[] => [...(before ?? []), label],
  )

/** Names and `label:NAME`, as requests take them. */
export const selectors = (names: readonly string[], { label = [] }: SelectionOptions): readonly string[] => [
  ...names,
  ...label.map((one) => `label:${one}`),
]
