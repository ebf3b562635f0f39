import { expect } from 'chai';
import { FLAGS } from '../../../dist/cli/flag-table.js';
import type { FlagRow } from '../../../dist/cli/flag-table.js';
import { page, rowsUnder } from './table.js';

describe('the flag table of the documentation', () => {
  it('names every flag with its value, default and meaning, and none that does not exist', () => {
    const flags: readonly FlagRow[] = FLAGS;
    const table = flags.map(({ name, value, fallback, meaning }) => [
      `\`--${name}${value === undefined ? '' : `=${value}`}\``,
      fallback === undefined ? '' : `\`${fallback}\``,
      meaning,
    ]);
    expect(rowsUnder(page('configuration.md'), 'flag')).to.deep.equal(table);
  });
});
