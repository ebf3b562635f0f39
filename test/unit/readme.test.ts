import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { FLAGS } from '../../dist/config/flag-table.js';
import { compareWithTable } from './metrics/names.js';

describe('the metric table of the README', () => {
  const markdown = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

  it('names every family, and none that does not exist', () => {
    expect(compareWithTable(markdown)).to.deep.equal({ missing: [], unknown: [] });
  });

  it('would show a family that is missing and one that is misspelt', () => {
    const other = markdown.replace('| `alicloud_rds_backup_tasks`', '| `alicloud_rds_backup_task`');
    expect(compareWithTable(other)).to.deep.equal({
      missing: ['alicloud_rds_backup_tasks'],
      unknown: ['alicloud_rds_backup_task'],
    });
  });
});

describe('the flag table of the README', () => {
  const markdown = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

  it('names every flag with its default, and none that does not exist', () => {
    const rows = [...markdown.matchAll(/^\| `--([\w.-]+)(?:=[^`]*)?` \| (?:`([^`]*)`)? *\|/gm)];
    const table = FLAGS.map((flag) => [flag.name, 'fallback' in flag ? flag.fallback : undefined]);
    expect(rows.map(([, name, fallback]) => [name, fallback])).to.deep.equal(table);
  });
});
