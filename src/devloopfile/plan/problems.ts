// What is found wrong while a plan is made: all of it, not only the first.
import { basename } from 'node:path'
import { errorCodes, type ErrorCode } from '../../errors/codes.js'
import type { ErrorInfo, SourcePosition } from '../../errors/devloop-error.js'

export interface Problem {
  readonly message: string
  /** The value received, or what else explains it. */
  readonly why?: string | undefined
  readonly at?: SourcePosition | undefined
  /** What was meant, or what to do. */
  readonly help?: string | undefined
}

export interface Problems {
  add(code: ErrorCode, problem: Problem): void
  /** An option that was written wrongly: that it is missing needs no words of its own. */
  excuse(at: SourcePosition, path: string): void
  excused(at: SourcePosition, path: string): boolean
  /** All, by file and line, none twice. */
  list(): readonly ErrorInfo[]
}

export function createProblems(): Problems {
  const found = new Map<string, ErrorInfo>()
  const excuses = new Set<string>()
  const key = (at: SourcePosition, path: string): string => `${place(at)} ${path}`
  return {
    add(code, { message, why, at, help }) {
      const info: ErrorInfo = {
        code,
        message,
        ...(why ? { why } : {}),
        ...(at ? { where: at } : {}),
        help: help ?? errorCodes[code].help,
      }
      found.set(JSON.stringify(info), info)
    },
    excuse: (at, path) => void excuses.add(key(at, path)),
    excused: (at, path) => excuses.has(key(at, path)),
    list: () => [...found.values()].sort(byPlace),
  }
}

function byPlace({ where: a }: ErrorInfo, { where: b }: ErrorInfo): number {
  if (!a || !b) return Number(!a) - Number(!b)
  if (a.file !== b.file) return a.file < b.file ? -1 : 1
  return a.line - b.line || (a.column ?? 0) - (b.column ?? 0)
}

/** A place for use within a sentence. */
export const place = ({ file, line, column }: SourcePosition): string => `${basename(file)}:${line}${column ? `:${column}` : ''}`
