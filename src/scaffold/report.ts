// What `devloop init` tells: each finding with the file that proves it, what was written, what is left to know.
import type { InitChange } from './init.js'
import type { InitPlan } from './plan-types.js'

export interface ReportOptions {
  /** A Devloopfile is there, so that nothing is written. */
  readonly isKept: boolean
  readonly dryRun: boolean
}

export function reportText(plan: InitPlan, changes: readonly InitChange[], { isKept, dryRun }: ReportOptions): string {
  const rows: (readonly [string, string, string])[] = []
  for (const { name, findings } of plan.components)
    for (const [i, { what, proof }] of findings.entries()) rows.push([i === 0 ? name : '', what, proof])
  for (const { kind, name } of plan.services) {
    const need = plan.components.flatMap(({ services }) => services).find((one) => one.kind === kind)
    if (need) rows.push([name, need.finding.what, need.finding.proof])
  }
  const { compose, manifests, charts, kustomizations } = plan.existing
  if (compose) rows.push(['', 'Compose file', compose.path])
  for (const { proof } of manifests) rows.push(['', 'Kubernetes objects', proof])
  for (const { proof } of charts) rows.push(['', 'Helm chart', proof])
  for (const { proof } of kustomizations) rows.push(['', 'kustomization', proof])
  const verbs = dryRun
    ? { create: 'would create', overwrite: 'would overwrite', same: 'is the same' }
    : { create: 'created', overwrite: 'written anew', same: 'is the same' }
  const sections = [
    table(rows),
    isKept
      ? 'There is a Devloopfile.ts, which is kept, and nothing was written. To have it written anew: devloop init --force'
      : table(changes.map(({ path, action }) => [verbs[action], path, ''] as const)),
    plan.notes.map((note) => `Note: ${note}`).join('\n'),
  ]
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`
}

/** The same as data. */
export const reportData = (plan: InitPlan, changes: readonly InitChange[], { isKept, dryRun }: ReportOptions): object => ({
  project: plan.project,
  components: plan.components.map(
    ({ name, folder, kind, findings, context, dockerfile, port, local, env, services, runsBy }) => ({
      name,
      folder,
      kind,
      findings,
      context,
      dockerfile: dockerfile.path,
      ...(port ? { port: port.number } : {}),
      ...(local === undefined ? {} : { forward: local }),
      env: Object.keys(env),
      services: services.map((one) => one.kind),
      ...(runsBy === undefined ? {} : { runsBy }),
    }),
  ),
  services: plan.services,
  existing: {
    ...(plan.existing.compose ? { compose: plan.existing.compose.path } : {}),
    manifests: plan.existing.manifests.map(({ folder }) => folder),
    charts: plan.existing.charts.map(({ folder }) => folder),
    kustomizations: plan.existing.kustomizations.map(({ folder }) => folder),
  },
  questions: plan.questions,
  notes: plan.notes,
  files: isKept ? [] : changes.map(({ path, action, text }) => ({ path, action, ...(dryRun ? { text } : {}) })),
  written: !isKept && !dryRun,
})

function table(rows: readonly (readonly [string, string, string])[]): string {
  const width = (column: 0 | 1): number => Math.max(0, ...rows.map((row) => row[column].length))
  return rows.map(([a, b, c]) => `  ${a.padEnd(width(0))}  ${b.padEnd(width(1))}  ${c}`.trimEnd()).join('\n')
}
