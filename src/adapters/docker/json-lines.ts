// Cuts the engine's answers, one JSON object a line in chunks with arbitrary borders, into objects.

/** Feed chunks in; each complete line comes out parsed. Lines that are no JSON object come out as `{ stream: line }`. */
export interface JsonLines {
  push(chunk: Buffer): object[]
  /** What is left when the answer has ended without a last line end. */
  end(): object[]
}

const newline = 0x0a

export function createJsonLines(): JsonLines {
  // bytes, not text: a chunk may end within a character
  let held: Buffer[] = []
  const take = (line: Buffer): object[] => {
    const text = line.toString('utf8').trim()
    if (text === '') return []
    try {
      const parsed = JSON.parse(text) as unknown
      if (typeof parsed === 'object' && parsed !== null) return [parsed]
    } catch {
      // a proxy's or the engine's plain words: better shown than lost
    }
    return [{ stream: `${text}\n` }]
  }
  return {
    push(chunk) {
      const out: object[] = []
      let from = 0
      for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, from)) {
        const line = chunk.subarray(from, at)
        out.push(...take(held.length === 0 ? line : Buffer.concat([...held, line])))
        held = []
        from = at + 1
      }
      if (from < chunk.length) held.push(chunk.subarray(from))
      return out
    },
    end() {
      const rest = Buffer.concat(held)
      held = []
      return take(rest)
    },
  }
}
