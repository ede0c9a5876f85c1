// Finding daemons, in a form that can be imported anywhere. Works on Node only, where the files can be read.
import type { Discovery } from '../protocol/messages.js'
import type { FindOptions } from './find-discovery.js'

/** The discovery file of a daemon that answers; undefined = none runs. */
export const findDaemon = async (options: FindOptions = {}): Promise<Discovery | undefined> =>
  (await import('./find-discovery.js')).findDaemon(options)

/** The discovery files that fit, the newest daemon first. A daemon that was killed leaves its file, so try each. */
export const findDiscoveries = async (options: FindOptions = {}): Promise<Discovery[]> =>
  (await import('./find-discovery.js')).findDiscoveries(options)
