// What the schemas of the protocol have in common.
import { z } from 'zod'

export const time = z.number().describe('Milliseconds since 1970')
export const count = z.int().nonnegative()
export const version = z.looseObject({ major: count, minor: count })
export const list = <T extends z.ZodType>(item: T): z.ZodReadonly<z.ZodArray<T>> => z.array(item).readonly()

export const errorInfo = z
  .looseObject({
    code: z.string().describe('Stable; see docs/errors.md'),
    message: z.string(),
    why: z.string().exactOptional(),
    where: z.looseObject({ file: z.string(), line: count, column: count.exactOptional() }).exactOptional(),
    help: z.string(),
  })
  .meta({ id: 'ErrorInfo' })
