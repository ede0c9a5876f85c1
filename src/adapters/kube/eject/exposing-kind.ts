// Whether a cluster has Routes, for who only wants to know that.
import type { RuntimeOptions } from '../../../ports/runtime.js'
import { connectKube } from '../connection.js'
import type { ExposingKind } from '../deploy/app-expose.js'
import { findExposingKind } from '../deploy/place.js'

/** @throws DevloopError cluster/* */
export async function exposingKindOf(options: RuntimeOptions, signal: AbortSignal): Promise<ExposingKind> {
  const connection = await connectKube(options, signal)
  try {
    return await findExposingKind(connection)
  } finally {
    connection.close()
  }
}
