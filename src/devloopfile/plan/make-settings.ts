// Settings of devloop itself.
import { availableParallelism } from 'node:os'
import type { CiSettings, ParallelSettings, PruneSettings, Settings } from '../../model/plan.js'
import type { CiOptions, ParallelOptions, PruneOptions, SettingsOptions } from '../api/types.js'
import type { Encoded } from '../declaration.js'
import { boolean, integer, options, record, seconds, wrong, type Subject } from './fields.js'

const known: Record<keyof SettingsOptions, true> = { parallel: true, prune: true, ci: true, agent: true }
const knownParallel: Record<keyof ParallelOptions, true> = { builds: true, deploys: true, locals: true }
const knownPrune: Record<keyof PruneOptions, true> = { keep: true, maxAge: true }
const knownCi: Record<keyof CiOptions, true> = { timeout: true, readinessTimeout: true, grace: true }

/** A week of builds, but no more of one image than somebody goes back to. */
const usualPrune: PruneSettings = { keep: 3, maxAge: 168 }

export function makeSettings(subject: Subject, value: Encoded): Settings {
  const given = value === undefined ? {} : options(subject, 'settings', value, known)
  return {
    parallel: makeParallel(subject, given.parallel),
    prune: makePrune(subject, given.prune),
    ci: makeCi(subject, given.ci),
    agent: boolean(subject, 'settings.agent', given.agent) ?? true,
  }
}

/** A build may use all of a core; a deploy waits for the cluster, and a local often for something else. */
const usualParallel = (cores: number): ParallelSettings => ({ builds: cores, deploys: 8, locals: Math.max(4, cores) })

function makeParallel(subject: Subject, value: Encoded): ParallelSettings {
  const usual = usualParallel(availableParallelism())
  const amount = (path: string, item: Encoded): number | undefined => integer(subject, path, item, 1, 1000)
  if (value === undefined) return usual
  if (!record(value)) {
    if (typeof value !== 'number')
      return wrong(subject, 'settings.parallel', 'a whole number, or { builds, deploys, locals }', value) ?? usual
    const all = amount('settings.parallel', value)
    return all === undefined ? usual : { builds: all, deploys: all, locals: all }
  }
  const given = options(subject, 'settings.parallel', value, knownParallel)
  return {
    builds: amount('settings.parallel.builds', given.builds) ?? usual.builds,
    deploys: amount('settings.parallel.deploys', given.deploys) ?? usual.deploys,
    locals: amount('settings.parallel.locals', given.locals) ?? usual.locals,
  }
}

function makePrune(subject: Subject, value: Encoded): PruneSettings | false {
  if (value === undefined) return usualPrune
  if (value === false) return false
  if (!record(value)) return wrong(subject, 'settings.prune', '{ keep, maxAge }, or false', value) ?? usualPrune
  const given = options(subject, 'settings.prune', value, knownPrune)
  return {
    keep: integer(subject, 'settings.prune.keep', given.keep, 1, 1000) ?? usualPrune.keep,
    maxAge: integer(subject, 'settings.prune.maxAge', given.maxAge, 1, 100_000) ?? usualPrune.maxAge,
  }
}

function makeCi(subject: Subject, value: Encoded): CiSettings {
  const given = value === undefined ? {} : options(subject, 'settings.ci', value, knownCi)
  return {
    timeoutMs: seconds(subject, 'settings.ci.timeout', given.timeout, 'above 0') ?? 1_800_000,
    readinessTimeoutMs: seconds(subject, 'settings.ci.readinessTimeout', given.readinessTimeout, 'above 0') ?? 300_000,
    graceMs: seconds(subject, 'settings.ci.grace', given.grace, 'from 0') ?? 0,
  }
}
