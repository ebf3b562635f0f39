import Mocha from 'mocha';

/** Mocha's own report, closed by the names of the tests that failed and one line with the counts that scripts can read. */
export default class CountingReporter extends Mocha.reporters.Spec {
  override done = (failures: number, finish?: (failures: number) => void): void => {
    const { passes, pending } = this.stats;
    const counts = `${passes} passed, ${failures} failed${pending > 0 ? `, ${pending} skipped` : ''}`;
    const failed = this.failures.map((test) => `failed: ${test.fullTitle()}\n`);
    process.once('exit', () => process.stdout.write(`${failed.join('')}${counts}\n`));
    finish?.(failures);
  };
}
