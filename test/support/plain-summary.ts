import { relative } from 'node:path';
import type { Reporter, TestCase, TestModule } from 'vitest/node';

/** Ends a run with one line that people and scripts read alike: `N passed, N failed`. Before it, what passed by luck. */
export default class PlainSummary implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    let passed = 0;
    // A file that cannot be loaded, and an error outside any test, are failures like any other.
    let failed = unhandledErrors.length;
    const lucky: TestCase[] = [];
    for (const module of modules) {
      let failedHere = 0;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') passed++;
        else if (state === 'failed') failedHere++;
        if (state === 'passed' && (test.diagnostic()?.retryCount ?? 0) > 0) lucky.push(test);
      }
      failed += failedHere === 0 && module.state() === 'failed' ? 1 : failedHere;
    }
    process.stdout.write(`${secondTries(lucky)}\n${passed} passed, ${failed} failed\n`);
  }
}

/** Each is a defect, of the test or of the product: what the first try said comes with its name. */
function secondTries(tests: readonly TestCase[]): string {
  if (tests.length === 0) return '';
  const lines = tests.map((test) => {
    const [first] = test.result().errors ?? [];
    const file = relative(process.cwd(), test.module.moduleId);
    return `  ${file} > ${test.fullName}\n    at first: ${first?.message.split('\n', 1)[0] ?? 'no word'}\n`;
  });
  return `\n${'!'.repeat(78)}\n${tests.length} passed only at a second try:\n${lines.join('')}${'!'.repeat(78)}\n`;
}
