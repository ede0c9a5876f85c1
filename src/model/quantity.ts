// Amounts as Kubernetes writes them. Pure.

const units: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
}

/** A Kubernetes quantity as a number of cores or bytes; NaN for what is none. */
export function amountOf(quantity: string): number {
  const [, number = '', unit = '', exponent] = /^([+-]?\d*\.?\d+)(?:([numkMGTPE]i?|Ki)|[eE]([+-]?\d+))?$/.exec(quantity) ?? []
  return exponent === undefined
    ? Number(number || Number.NaN) * (units[unit] ?? Number.NaN)
    : Number(number) * 10 ** Number(exponent)
}
