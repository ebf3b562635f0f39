import { parseText } from '../metrics/parse.js';
import type { Series } from '../metrics/parse.js';

const PREFIX = 'alicloud_rds_backup_';

export type Labels = Readonly<Record<string, string>>;

/** One scrape. Families are asked for without the prefix of their names. */
export class Page {
  readonly series: readonly Series[];

  constructor(text: string) {
    this.series = parseText(text);
  }

  /** Everything of a family whose labels hold these. */
  all(family: string, labels: Labels = {}): readonly Series[] {
    return this.series.filter((series) => series.name === PREFIX + family && holds(series.labels, labels));
  }

  /** The value of the one series of a family whose labels hold these; undefined when there is none. */
  value(family: string, labels: Labels = {}): number | undefined {
    const [found, ...more] = this.all(family, labels);
    if (more.length > 0) throw new Error(`several series of ${family}${JSON.stringify(labels)}`);
    return found?.value;
  }
}

function holds(labels: Labels, wanted: Labels): boolean {
  return Object.entries(wanted).every(([name, value]) => labels[name] === value);
}
