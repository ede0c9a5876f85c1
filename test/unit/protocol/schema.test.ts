// The hand-written types, the schemas and the published JSON Schema say the same.
import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import type { z } from 'zod'
import type { ClientMessage, DaemonMessage, Discovery, Requests, View } from '../../../src/protocol/messages.js'
import {
  protocolJsonSchema,
  viewSchema,
  type clientMessageSchema,
  type daemonMessageSchema,
  type discoverySchema,
} from '../../../src/protocol/schema.js'
import type { requestParamsSchemas, requestResultsSchemas } from '../../../src/protocol/schema-requests.js'
import { resourceView } from '../../support/status-server.js'

// Compile-time: every message of the types fits the schema's input, and the schema's fields are those of the types.
type Fits<A extends B, B> = A
type Known<T> = T extends readonly (infer I)[]
  ? readonly Known<I>[]
  : T extends object
    ? { [K in keyof T as string extends K ? never : K]: Known<T[K]> }
    : T
type Params = typeof requestParamsSchemas
type Results = typeof requestResultsSchemas
export type Checks = [
  Fits<Discovery, Known<z.input<typeof discoverySchema>>>,
  Fits<Known<z.output<typeof discoverySchema>>, Discovery>,
  Fits<View, Known<z.input<typeof viewSchema>>>,
  Fits<keyof Known<z.output<typeof viewSchema>>, keyof View>,
  Fits<DaemonMessage, Known<z.input<typeof daemonMessageSchema>>>,
  Fits<ClientMessage, Known<z.input<typeof clientMessageSchema>>>,
  Fits<{ [M in keyof Requests]: Requests[M]['params'] }, { [M in keyof Requests]: Known<z.input<Params[M]>> }>,
  Fits<{ [M in keyof Requests]: Known<z.output<Params[M]>> }, { [M in keyof Requests]: Requests[M]['params'] }>,
  Fits<{ [M in keyof Requests]: Requests[M]['result'] }, { [M in keyof Requests]: Known<z.input<Results[M]>> }>,
  Fits<{ [M in keyof Requests]: keyof Known<z.output<Results[M]>> }, { [M in keyof Requests]: keyof Requests[M]['result'] }>,
]

test('the published JSON Schema is up to date (`npm run docs` writes it)', async () => {
  const published = await readFile(new URL('../../../docs/protocol.schema.json', import.meta.url), 'utf8')
  expect(published).toBe(`${JSON.stringify(protocolJsonSchema(), undefined, 2)}\n`)
})

test('the schema knows a good view from a bad one', () => {
  expect(viewSchema.safeParse(resourceView('api')).success).toBe(true)
  expect(viewSchema.safeParse({ ...resourceView('api'), later: 1 }).success).toBe(true)
  expect(viewSchema.safeParse({ ...resourceView('api'), status: 'fine' }).success).toBe(false)
  expect(viewSchema.safeParse({ ...resourceView('api'), pods: undefined }).success).toBe(false)
})
