// Settings of devloop itself.
import type { CiSettings, PruneSettings, Settings } from '../../model/plan.js'
import type { CiOptions, PruneOptions, SettingsOptions } from '../api/types.js'
import type { Encoded } from '../declaration.js'
import { integer, options, record, seconds, wrong, type Subject } from './fields.js'

const known: Record<keyof SettingsOptions, true> = { prune: true, ci: true }
const knownPrune: Record<keyof PruneOptions, true> = { keep: true, maxAge: true }
const knownCi: Record<keyof CiOptions, true> = { timeout: true, readinessTimeout: true, grace: true }

/** A week of builds, but no more of one image than somebody goes back to. */
const usualPrune: PruneSettings = { keep: 3, maxAge: 168 }

export function makeSettings(subject: Subject, value: Encoded): Settings {
  const given = value === undefined ? {} : options(subject, 'settings', value, known)
  return { prune: makePrune(subject, given.prune), ci: makeCi(subject, given.ci) }
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
