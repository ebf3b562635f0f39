import Mocha from 'mocha';
import { skipReasons } from './tools.js';

/** Mocha's own report, closed by the reasons of skipped tests and one line with the counts that scripts can read. */
export default class CountingReporter extends Mocha.reporters.Spec {
  override done = (failures: number, finish?: (failures: number) => void): void => {
    const { passes, pending } = this.stats;
    const counts = `${passes} passed, ${failures} failed${pending > 0 ? `, ${pending} skipped` : ''}`;
    const skipped = [...skipReasons].toSorted().map((reason) => `skipped: ${reason}\n`);
    process.once('exit', () => process.stdout.write(`${skipped.join('')}${counts}\n`));
    finish?.(failures);
  };
}
