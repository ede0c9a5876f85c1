// Tells why a test had to be repeated: what passes only the second time is a defect of the test or of the product.
import type { Reporter, TestCase } from 'vitest/node'

export default class RetriedReporter implements Reporter {
  readonly #lines: string[] = []

  onTestCaseResult(test: TestCase): void {
    const result = test.result()
    if (result.state !== 'passed' || !test.diagnostic()?.flaky) return
    const [first] = result.errors ?? []
    this.#lines.push(
      `${test.module.relativeModuleId} > ${test.fullName}\n${first?.stack ?? first?.message ?? 'no error was kept'}`,
    )
  }

  onTestRunEnd(): void {
    for (const line of this.#lines) process.stdout.write(`\nPassed only when repeated: ${line}\n`)
  }
}
