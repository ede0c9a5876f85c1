// By which port and tokens the status page of an instance was reached last, so that a page that is open finds the next daemon too.
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface Access {
  /** Of 127.0.0.1. */
  readonly port: number
  readonly token: string
  readonly readToken: string
}

/** Tokens are used again only if a daemon with them ran within this time. Milliseconds. */
const tokenLife = 12 * 60 * 60 * 1000

const isToken = (value: unknown): value is string => typeof value === 'string' && /^[A-Za-z0-9_-]{43}$/.test(value)

/**
 * @param dir state folder of the instance
 * @returns what there is of it that can be used again; tokens that are too old are left out
 */
export async function readLastAccess(dir: string): Promise<Partial<Access>> {
  try {
    const { at, port, token, readToken } = JSON.parse(await readFile(fileOf(dir), 'utf8')) as Record<string, unknown>
    const age = Date.now() - Number(at)
    const fresh = age >= 0 && age < tokenLife && isToken(token) && isToken(readToken)
    return {
      ...(Number.isInteger(port) && Number(port) > 0 && Number(port) < 65_536 ? { port: Number(port) } : {}),
      ...(fresh ? { token, readToken } : {}),
    }
  } catch {
    // there is none, or it is none of ours
    return {}
  }
}

/** For this user's eyes alone; whatever keeps it from being written only costs an open page its next connection. */
export async function writeLastAccess(dir: string, access: Access): Promise<void> {
  const temporary = `${fileOf(dir)}.new`
  try {
    await writeFile(temporary, `${JSON.stringify({ at: Date.now(), ...access })}\n`, { mode: 0o600 })
    await rename(temporary, fileOf(dir))
  } catch {
    // such as a full disk
  }
}

const fileOf = (dir: string): string => join(dir, 'access.json')
