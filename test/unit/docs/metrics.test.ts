import { expect } from 'chai';
import { FAMILIES } from '../../../dist/metrics/families.js';
import type { FamilyHead } from '../../../dist/metrics/family.js';
import { INSTANCE_LABELS } from '../../../dist/metrics/instance-families.js';
import { PROGRESS_STATUSES, TASK_STATUSES } from '../../../dist/domain/model.js';
import { codeIn, page, rowsUnder } from './table.js';

const PAGE = page('metrics.md');
/** Labels that depend on the configuration. */
const OPEN_LABELS: Readonly<Record<string, string>> = {
  alicloud_rds_backup_instance_info: ', static labels, `tag_*`',
};
const STATES: Readonly<Record<string, readonly string[]>> = {
  alicloud_rds_backup_task_status: TASK_STATUSES,
  alicloud_rds_backup_task_progress_status: PROGRESS_STATUSES,
};
/** prom-client names these, and promtool checks them. */
const FOREIGN = '`process_*`, `nodejs_*`';

function labelsCell({ name, labels }: FamilyHead): string {
  const isOfInstance = INSTANCE_LABELS.every((label, at) => labels[at] === label);
  const own = labels.slice(isOfInstance ? INSTANCE_LABELS.length : 0).map((label) => `\`${label}\``);
  return [...(isOfInstance ? ['…'] : []), ...own].join(', ') + (OPEN_LABELS[name] ?? '');
}

function* differencesOf(family: FamilyHead, row: readonly string[]): Iterable<string> {
  const { name, type, help } = family;
  const [, typeCell, labels, meaning = ''] = row;
  const states = STATES[name];
  const wantedType = states === undefined ? type : `${type}, state set`;
  if (typeCell !== wantedType) yield `${name}: type is ${wantedType}, not ${typeCell}`;
  if (labels !== labelsCell(family)) yield `${name}: labels are ${labelsCell(family)}, not ${labels}`;
  if (!meaning.replaceAll('`', '').startsWith(help)) yield `${name}: the meaning does not begin with: ${help}`;
  if (states !== undefined && !meaning.endsWith(`States: ${states.map((state) => `\`${state}\``).join(' ')}.`)) {
    yield `${name}: the states are ${states.join(' ')}`;
  }
}

/** What the metric tables say otherwise than the code: a meaning is the HELP text, and what a reader may want beyond it. */
function differences(markdown: string): readonly string[] {
  const rows = new Map(rowsUnder(markdown, 'metric').map((row) => [row[0]!, row]));
  const wrong = FAMILIES.flatMap((family) => {
    const row = rows.get(`\`${family.name}\``);
    return row === undefined ? [`${family.name}: no row`] : [...differencesOf(family, row)];
  });
  const names = new Set([FOREIGN, ...FAMILIES.map(({ name }) => `\`${name}\``)]);
  const unknown = [...rows.keys()].filter((name) => !names.has(name));
  return [...wrong, ...unknown.map((name) => `${codeIn(name).join()}: no such metric`)];
}

describe('the metric tables of the documentation', () => {
  it('tell of every metric its type, labels, states and HELP text, and of none that does not exist', () => {
    expect(differences(PAGE)).to.deep.equal([]);
  });

  it('would show each cell that is wrong, a metric that is missing and one that is misspelt', () => {
    const name = 'alicloud_rds_backup_exporter_internal_errors_total';
    const cells: readonly (readonly [string, string, string])[] = [
      [`${name}\` | counter`, `${name}\` | gauge`, `${name}: type is counter, not gauge`],
      [`${name}\` | counter | |`, `${name}\` | counter | \`code\` |`, `${name}: labels are , not \`code\``],
      ['Exceptions that', 'Errors that', `${name}: the meaning does not begin with: Exceptions that`],
      ['Preparing` `Waiting` `Uploading` `Finished` `Other`.', 'x', 'progress_status: the states are NoStart Checking'],
    ];
    for (const [right, wrong, difference] of cells) {
      const found = differences(PAGE.replace(right, wrong));
      expect(found).to.have.length(1);
      expect(found[0]).to.include(difference);
    }
    expect(differences(PAGE.replace(`\`${name}\``, '`alicloud_rds_backup_bugs`'))).to.deep.equal([
      `${name}: no row`,
      'alicloud_rds_backup_bugs: no such metric',
    ]);
  });
});
