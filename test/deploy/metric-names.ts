import { FAMILIES } from '../../dist/metrics/families.js';

/** Every metric that the exporter serves and that rules, dashboards and runbooks may name. */
export const METRICS: ReadonlySet<string> = new Set(FAMILIES.map(({ name }) => name));

/** The metrics of this exporter and the recorded series that a text names; series of a histogram by the histogram's name. */
export function namesIn(text: string): readonly string[] {
  return [...text.matchAll(/[a-z_:]*alicloud_rds_backup_[\w:]+/g)].map(([name]) =>
    name.replace(/_(?:bucket|sum|count)$/, ''),
  );
}
