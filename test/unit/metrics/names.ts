import { FAMILIES } from '../../../dist/metrics/families.js';

/** The metrics that a Markdown table names in its first column, in its order; a cell may name several. */
export function metricsNamedIn(markdown: string): readonly string[] {
  const cells = markdown.split('\n').flatMap((line) => /^\|([^|]*)\|/.exec(line)?.[1] ?? []);
  return cells.flatMap((cell) => [...cell.matchAll(/`(alicloud_rds_backup_\w+)`/g)].map((match) => match[1]!));
}

/** What a document's metric tables lack, and what they name that does not exist. */
export function compareWithTable(markdown: string): {
  readonly missing: readonly string[];
  readonly unknown: readonly string[];
} {
  const named = metricsNamedIn(markdown);
  const names = FAMILIES.map(({ name }) => name);
  return {
    missing: names.filter((name) => !named.includes(name)),
    unknown: named.filter((name) => !names.includes(name)),
  };
}
