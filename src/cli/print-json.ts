// What `--json` prints: one value, readable, with a line break behind it. The shapes are promised in docs/cli.md.

export const printJson = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`)
