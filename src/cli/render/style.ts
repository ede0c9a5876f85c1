// Colours.

export interface Style {
  readonly green: (text: string) => string
  readonly red: (text: string) => string
  readonly yellow: (text: string) => string
  readonly cyan: (text: string) => string
  readonly dim: (text: string) => string
  readonly bold: (text: string) => string
  /** Text and background changed for each other: seen in any colours. */
  readonly inverse: (text: string) => string
  /** A colour of its own for each key, always the same. */
  readonly hue: (key: string) => (text: string) => string
}

const same = (text: string): string => text

/** No colours at all. */
export const plainStyle: Style = {
  green: same,
  red: same,
  yellow: same,
  cyan: same,
  dim: same,
  bold: same,
  inverse: same,
  hue: () => same,
}

const sgr =
  (on: number, off: number) =>
  (text: string): string =>
    text === '' ? '' : `\x1b[${on}m${text}\x1b[${off}m`

/** Neither red nor yellow, which mean something. */
const hues = [32, 34, 35, 36, 92, 94, 95, 96].map((on) => sgr(on, 39))

export const colourStyle: Style = {
  green: sgr(32, 39),
  red: sgr(31, 39),
  yellow: sgr(33, 39),
  cyan: sgr(36, 39),
  dim: sgr(2, 22),
  bold: sgr(1, 22),
  inverse: sgr(7, 27),
  hue: (key) => {
    let sum = 7
    for (let i = 0; i < key.length; i++) sum = (sum * 31 + key.charCodeAt(i)) % 9973
    return hues[sum % hues.length] ?? same
  },
}

/** Colours, unless NO_COLOR is set or the terminal is dumb. */
export const terminalStyle = (env: NodeJS.ProcessEnv): Style =>
  (env.NO_COLOR ?? '') !== '' || env.TERM === 'dumb' ? plainStyle : colourStyle

/** On a screen of its own: without colours, bold, dim and inverse are left. */
export const screenStyle = (env: NodeJS.ProcessEnv): Style =>
  terminalStyle(env) === colourStyle
    ? colourStyle
    : { ...plainStyle, bold: colourStyle.bold, dim: colourStyle.dim, inverse: colourStyle.inverse }
