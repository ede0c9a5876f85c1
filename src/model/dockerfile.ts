// Where instructions stand in a Dockerfile, so that an error of the engine can name the line it means.

export interface Instruction {
  /** In upper case, such as `RUN`. */
  readonly keyword: string
  /** All after the keyword, continuation lines joined by spaces. */
  readonly rest: string
  /** First line, from 1. */
  readonly line: number
  /** Which FROM it belongs to, from 0; -1 before the first. */
  readonly stage: number
  /** Name given by `AS`, of the stage it belongs to. */
  readonly stageName?: string
}

/** The instructions of a Dockerfile in order. Never throws: what is wrong is the engine's to say. */
export function parseDockerfile(text: string): Instruction[] {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/)
  const escape = escapeCharacter(lines)
  const continued = new RegExp(`${escape === '\\' ? '\\\\' : escape}[ \\t]*$`)
  const found: Instruction[] = []
  let stage = -1
  let stageName: string | undefined
  for (let at = 0; at < lines.length; at++) {
    const start = at
    const first = (lines[at] as string).trim()
    if (first === '' || first.startsWith('#')) continue
    let joined = ''
    for (;;) {
      const line = lines[at] as string
      const isGap = at > start && (line.trim() === '' || line.trim().startsWith('#'))
      if (!isGap) joined += `${line.replace(continued, '').trim()} `
      if (at + 1 >= lines.length || (!isGap && !continued.test(line))) break
      at++
    }
    const [, word = '', rest = ''] = /^(\S+)\s*([^]*)$/.exec(joined.trim()) ?? []
    const keyword = word.toUpperCase()
    if (keyword === 'FROM') {
      stage++
      stageName = /\sAS\s+(\S+)\s*$/i.exec(rest)?.[1]
    }
    found.push({ keyword, rest, line: start + 1, stage, ...(stageName ? { stageName } : {}) })
    if (keyword === 'RUN' || keyword === 'COPY' || keyword === 'ADD') at = skipHeredocs(lines, at, rest)
  }
  return found
}

const escapeCharacter = (lines: readonly string[]): string => {
  for (const line of lines) {
    const directive = /^#\s*([A-Za-z]+)\s*=\s*(\S+)\s*$/.exec(line)
    if (!directive) return '\\'
    if (directive[1]?.toLowerCase() === 'escape' && directive[2] === '`') return '`'
  }
  return '\\'
}

/** The line at which the bodies of the heredocs that an instruction opens end; `at` itself when there are none. */
function skipHeredocs(lines: readonly string[], at: number, rest: string): number {
  let end = at
  for (const opened of rest.matchAll(/(?:^|\s)\d*<<(-?)(["']?)([A-Za-z_][\w.]*)\2/g)) {
    const closes = (line: string): boolean => (opened[1] ? line.replace(/^\t+/, '') : line) === opened[3]
    let probe = end + 1
    while (probe < lines.length && !closes(lines[probe] as string)) probe++
    // one that is never closed was none: `<<` in a quoted shell text
    if (probe < lines.length) end = probe
  }
  return end
}

// what BuildKit numbers: not a FROM that starts from nothing or from an earlier stage
const isNumbered = (instruction: Instruction, all: readonly Instruction[]): boolean => {
  if (instruction.keyword !== 'FROM') return ['RUN', 'COPY', 'ADD', 'WORKDIR'].includes(instruction.keyword)
  const base = baseOf(instruction).toLowerCase()
  const isStage = all.some(({ stage, stageName }) => stage < instruction.stage && stageName?.toLowerCase() === base)
  return base !== 'scratch' && !isStage
}

const baseOf = (from: Instruction): string => from.rest.replace(/^(--\S+\s+)+/, '').split(/\s+/)[0] ?? ''

/**
 * The instruction that a BuildKit step such as `[builder 2/4] RUN npm ci` stands for. The numbers count the instructions
 * of a stage that make layers; they are right only when the base adds none (ONBUILD), so the text is compared as well.
 */
export function instructionOfStep(instructions: readonly Instruction[], step: string): Instruction | undefined {
  const parts = /^\[([^\]]*?)\s*(\d+)\/(\d+)\]\s+(\S+)\s*([^]*)$/.exec(step)
  if (!parts) return undefined
  const [, label = '', number = '', , word = '', rest = ''] = parts
  const keyword = word.toUpperCase()
  // with several platforms the label starts with one: `[linux/arm64 builder 2/4]`
  const stageLabel = label.split(/\s+/).at(-1) ?? ''
  const anonymous = /^stage-(\d+)$/.exec(stageLabel)
  const alike = (instruction: Instruction): boolean => instruction.keyword === keyword
  const inStage = (instruction: Instruction): boolean =>
    stageLabel === '' ||
    instruction.stageName?.toLowerCase() === stageLabel.toLowerCase() ||
    (anonymous !== null && instruction.stage === Number(anonymous[1]))
  const narrowed = instructions.filter(inStage)
  const candidates = narrowed.length > 0 ? narrowed : instructions
  const byNumber = candidates.filter((instruction) => isNumbered(instruction, instructions))[Number(number) - 1]
  const wanted = squeeze(rest)
  const sameText = candidates.filter((instruction) => alike(instruction) && squeeze(instruction.rest) === wanted)
  if (byNumber && alike(byNumber) && (sameText.length === 0 || sameText.includes(byNumber))) return byNumber
  return sameText[0] ?? candidates.find((instruction) => alike(instruction) && sharesWords(instruction.rest, rest))
}

/** The instruction that the classic builder's `Step n/m` stands for. */
export const instructionOfNumber = (instructions: readonly Instruction[], step: number): Instruction | undefined =>
  instructions[step - 1]

/** The FROM (or COPY --from) that names an image; `reference` as the engine writes it, with registry and tag filled in. */
export function instructionOfImage(instructions: readonly Instruction[], reference: string): Instruction | undefined {
  const short = (name: string): string => name.replace(/^docker\.io\/(library\/)?/, '').replace(/:latest$/, '')
  const wanted = short(reference)
  const froms = instructions.filter(({ keyword }) => keyword === 'FROM')
  const named = froms.find((from) => short(baseOf(from)) === wanted)
  const copied = instructions.find(({ rest }) => short(/--from=(\S+)/.exec(rest)?.[1] ?? '') === wanted)
  return named ?? copied ?? (froms.length === 1 ? froms[0] : undefined)
}

const squeeze = (text: string): string => text.replace(/\s+/g, ' ').trim()

// variables are filled in by the engine, so only the words without any are expected to be alike
const sharesWords = (written: string, shown: string): boolean =>
  squeeze(written)
    .split(' ')
    .filter((word) => !word.includes('$'))
    .every((word) => shown.includes(word))
