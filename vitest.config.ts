import { defineConfig } from 'vitest/config'
import { fileURLToPath } from 'node:url'
import { LongFirst } from './test/support/long-first.js'

const report = process.env.DEVLOOP_TEST_REPORT
// a test that passes only when repeated is still a defect to find: the reporter names it
const retry = process.env.CI ? 2 : 0
const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const alias = {
  'devloop/client': at('./src/client/index.ts'),
  devloop: at('./src/index.ts'),
  // VS Code's own module is there only in VS Code
  vscode: at('./editors/vscode/test/vscode-double.ts'),
}
const cluster = ['test/**/*.cluster.test.ts', 'editors/vscode/test/*.cluster.test.ts']
const e2e = 'test/e2e/**/*.test.ts'
const browser = 'test/browser/**/*.test.ts'
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
          exclude: [...cluster, e2e, browser],
          testTimeout: 20_000,
          hookTimeout: 20_000,
          maxWorkers: 2,
        },
      },
      {
        resolve: { alias },
        test: { name: 'e2e', retry, include: [e2e], exclude: cluster, testTimeout: 60_000, hookTimeout: 60_000, maxWorkers: 2 },
      },
      // the extension, in a double of VS Code's API and with real daemons of dist/cli.js
      {
        resolve: { alias },
        test: {
          name: 'vscode',
          retry,
          include: ['editors/vscode/test/*.test.ts'],
          exclude: cluster,
          testTimeout: 180_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
        },
      },
      // the page in a real Chromium, against a daemon on this machine
      {
        resolve: { alias },
        test: {
          name: 'browser',
          retry,
          include: [browser],
          testTimeout: 120_000,
          hookTimeout: 60_000,
          maxWorkers: 1,
        },
      },
      // real Kubernetes, Docker engine and registry, as KUBECONFIG names them
      ...[
        { name: 'cluster', include: cluster, exclude: heavy, maxWorkers: 3 },
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
