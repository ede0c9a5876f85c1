// BuildKit's progress records (`moby.buildkit.trace`), decoded.
import { bytesOf, numberOf, readFields, textOf } from './protobuf.js'

/** A node of BuildKit's graph: what people see as one step. */
export interface Vertex {
  readonly digest: string
  readonly name: string
  readonly cached: boolean
  /** Milliseconds since 1970. */
  readonly started?: number
  readonly completed?: number
  /** '' = none. */
  readonly error: string
}

/** Output of a step; not cut at line ends. */
export interface VertexLog {
  readonly vertex: string
  readonly stream: number
  readonly message: Buffer
}

/** How far a part of a step is, such as a layer's download. */
export interface VertexStatus {
  readonly vertex: string
  readonly id: string
  readonly current: number
  readonly total: number
}

export interface Trace {
  readonly vertexes: readonly Vertex[]
  readonly statuses: readonly VertexStatus[]
  readonly logs: readonly VertexLog[]
}

/** Decode one record. @throws Error when it is none */
export function decodeTrace(record: Buffer): Trace {
  const vertexes: Vertex[] = []
  const statuses: VertexStatus[] = []
  const logs: VertexLog[] = []
  for (const field of readFields(record)) {
    if (field.number === 1) vertexes.push(decodeVertex(bytesOf(field)))
    else if (field.number === 2) statuses.push(decodeStatus(bytesOf(field)))
    else if (field.number === 3) logs.push(decodeLog(bytesOf(field)))
  }
  return { vertexes, statuses, logs }
}

function decodeVertex(message: Buffer): Vertex {
  let [digest, name, error] = ['', '', '']
  let cached = false
  let started: number | undefined
  let completed: number | undefined
  for (const field of readFields(message)) {
    if (field.number === 1) digest = textOf(field)
    else if (field.number === 3) name = textOf(field)
    else if (field.number === 4) cached = numberOf(field) !== 0
    else if (field.number === 5) started = decodeTime(bytesOf(field))
    else if (field.number === 6) completed = decodeTime(bytesOf(field))
    else if (field.number === 7) error = textOf(field)
  }
  return {
    digest,
    name,
    cached,
    error,
    ...(started === undefined ? {} : { started }),
    ...(completed === undefined ? {} : { completed }),
  }
}

function decodeStatus(message: Buffer): VertexStatus {
  let [id, vertex] = ['', '']
  let [current, total] = [0, 0]
  for (const field of readFields(message)) {
    if (field.number === 1) id = textOf(field)
    else if (field.number === 2) vertex = textOf(field)
    else if (field.number === 4) current = numberOf(field)
    else if (field.number === 5) total = numberOf(field)
  }
  return { vertex, id, current, total }
}

function decodeLog(message: Buffer): VertexLog {
  let vertex = ''
  let stream = 0
  let text: Buffer = Buffer.alloc(0)
  for (const field of readFields(message)) {
    if (field.number === 1) vertex = textOf(field)
    else if (field.number === 3) stream = numberOf(field)
    else if (field.number === 4) text = bytesOf(field)
  }
  return { vertex, stream, message: text }
}

// google.protobuf.Timestamp
function decodeTime(message: Buffer): number {
  let milliseconds = 0
  for (const field of readFields(message)) {
    if (field.number === 1) milliseconds += numberOf(field) * 1000
    else if (field.number === 2) milliseconds += numberOf(field) / 1e6
  }
  return milliseconds
}
