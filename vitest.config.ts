import { defineConfig } from 'vitest/config'
import { fileURLToPath } from 'node:url'
import { LongFirst } from './test/support/long-first.js'

const report = process.env.DEVLOOP_TEST_REPORT
// a test that passes only when repeated is still a defect to find: the reporter names it
const retry = process.env.CI ? 2 : 0
const alias = { devloop: fileURLToPath(new URL('./src/index.ts', import.meta.url)) }
const cluster = 'test/**/*.cluster.test.ts'
const e2e = 'test/e2e/**/*.test.ts'
/** Keep a machine busy by themselves, so that they run one by one after the others. */
const heavy = ['test/cluster/forward-rollouts.cluster.test.ts']

export default defineConfig({
  test: {
    // with DEVLOOP_TEST_REPORT, also the results as JSON into that file
    reporters: [
      process.env.CI ? 'default' : 'dot',
      './test/support/retried-reporter.ts',
      ...(report ? [['json', { outputFile: report }] as ['json', { outputFile: string }]] : []),
    ],
    sequence: { sequencer: LongFirst },
    projects: [
      // everything that needs only Node; test/e2e drives the built dist/cli.js
      {
        resolve: { alias },
        test: {
          name: 'unit',
          retry,
          include: ['test/**/*.test.ts'],
          exclude: [cluster, e2e],
          testTimeout: 20_000,
          hookTimeout: 20_000,
          maxWorkers: 2,
        },
      },
      {
        resolve: { alias },
        test: { name: 'e2e', retry, include: [e2e], exclude: [cluster], testTimeout: 60_000, hookTimeout: 60_000, maxWorkers: 2 },
      },
      // real Kubernetes, Docker engine and registry, as KUBECONFIG names them
      ...[
        { name: 'cluster', include: [cluster], exclude: heavy, maxWorkers: 3 },
        { name: 'cluster-heavy', include: heavy, maxWorkers: 1, sequence: { groupOrder: 1 } },
      ].map((more) => ({
        resolve: { alias },
        test: {
          retry,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          globalSetup: ['test/support/require-cluster.ts'],
          ...more,
        },
      })),
    ],
  },
})
