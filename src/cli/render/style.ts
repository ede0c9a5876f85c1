// Colours.

export interface Style {
  readonly green: (text: string) => string
  readonly red: (text: string) => string
  readonly yellow: (text: string) => string
  readonly cyan: (text: string) => string
  readonly dim: (text: string) => string
  readonly bold: (text: string) => string
}

const same = (text: string): string => text

/** No colours at all. */
export const plainStyle: Style = { green: same, red: same, yellow: same, cyan: same, dim: same, bold: same }

const sgr =
  (on: number, off: number) =>
  (text: string): string =>
    text === '' ? '' : `\x1b[${on}m${text}\x1b[${off}m`

export const colourStyle: Style = {
  green: sgr(32, 39),
  red: sgr(31, 39),
  yellow: sgr(33, 39),
  cyan: sgr(36, 39),
  dim: sgr(2, 22),
  bold: sgr(1, 22),
}

/** Colours, unless NO_COLOR is set or the terminal is dumb. */
export const terminalStyle = (env: NodeJS.ProcessEnv): Style =>
  (env.NO_COLOR ?? '') !== '' || env.TERM === 'dumb' ? plainStyle : colourStyle
