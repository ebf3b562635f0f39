import { parseText } from '../unit/metrics/parse.js';
import type { Series } from '../unit/metrics/parse.js';

const PREFIX = 'alicloud_rds_backup_';

export type Labels = Readonly<Record<string, string>>;

/** One scrape. Families are asked for without the prefix of their names. */
export class Page {
  readonly lines: ReadonlySet<string>;
  readonly #families = new Map<string, Series[]>();

  constructor(text: string) {
    this.lines = new Set(text.split('\n'));
    for (const series of parseText(text)) {
      const family = this.#families.get(series.name);
      if (family === undefined) this.#families.set(series.name, [series]);
      else family.push(series);
    }
  }

  /** Everything of a family whose labels hold these. */
  all(family: string, labels: Labels = {}): readonly Series[] {
    const wanted = Object.entries(labels);
    const series = this.#families.get(PREFIX + family) ?? [];
    return series.filter((one) => wanted.every(([name, value]) => one.labels[name] === value));
  }

  /** The value of the one series of a family whose labels hold these; undefined when there is none. */
  value(family: string, labels: Labels = {}): number | undefined {
    const [found, ...more] = this.all(family, labels);
    if (more.length > 0) throw new Error(`several series of ${family}${JSON.stringify(labels)}`);
    return found?.value;
  }
}
