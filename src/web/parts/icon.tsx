// The few pictures on buttons, as strokes in a square of 20.

const paths = {
  trigger: 'M6 4.5l9 5.5-9 5.5z',
  restart: 'M15.5 10a5.5 5.5 0 1 1-1.8-4.1M15.5 3v3.5H12',
  power: 'M10 3v6M6 5.6a6 6 0 1 0 8 0',
  next: 'M5 8l5 5 5-5',
  previous: 'M5 12l5-5 5 5',
  follow: 'M10 3v10M5.5 9l4.5 4.5L14.5 9M4.5 17h11',
  copy: 'M7 7V4h9v9h-3M4 7h9v9H4z',
  clear: 'M4 6h12M8 6V4h4v2M6 6l.7 10h6.6L14 6',
  close: 'M5 5l10 10M15 5L5 15',
  log: 'M4 5h12M4 10h12M4 15h7',
  filter: 'M3.5 5h13M6 10h8M8.5 15h3',
} as const

export type IconName = keyof typeof paths

export const Icon = ({ name }: { readonly name: IconName }) => (
  <svg class="icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false">
    <path d={paths[name]} />
  </svg>
)
