import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { compareWithTable } from './names.js';

describe('the metric table of the README', () => {
  const markdown = readFileSync(new URL('../../README.metrics.part.md', import.meta.url), 'utf8');

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
