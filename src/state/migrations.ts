import { seal, unseal } from './record.js';

/** How a record of each version becomes one of the next, from version 1 on: every version that was ever written is here. */
const MIGRATIONS: readonly ((text: string) => string)[] = [toVersion2, toVersion3];

/** Of the records that this exporter writes. */
export const RECORD_VERSION = MIGRATIONS.length + 1;

/** @throws if the record was damaged */
export function migrate(text: string, from: number): string {
  return MIGRATIONS.slice(from - 1).reduce((older, toNext) => toNext(older), text);
}

interface Version1 {
  readonly tasks: readonly { readonly lastProgressAt: number; lastOpenAt?: number }[];
}

/** A task has the time when it was last listed without an outcome. The first records of version 1 had no checksum. */
function toVersion2(text: string): string {
  const record: Version1 = JSON.parse(text.startsWith('{') ? text : unseal(text));
  for (const task of record.tasks) task.lastOpenAt = task.lastProgressAt;
  return seal(JSON.stringify(record));
}

/** The names of a task's fields in version 3, by those in version 2. */
const RENAMED: Readonly<Record<string, string>> = {
  uncounted: 'pendingCompletion',
  unsettledAnswers: 'outcomeLookups',
  toldFields: 'reportedFields',
  ranForMs: 'durationMs',
};

function toVersion3(text: string): string {
  const record: { tasks: readonly object[] } = JSON.parse(unseal(text));
  record.tasks = record.tasks.map((task) =>
    Object.fromEntries(Object.entries(task).map(([name, value]) => [RENAMED[name] ?? name, value])),
  );
  return seal(JSON.stringify(record));
}
