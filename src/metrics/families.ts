import type { Family, FamilyHead } from './family.js';
import { INSTANCE_FAMILIES } from './instance-families.js';
import { OUTCOME_FAMILIES } from './outcome-families.js';
import { EXPORTER_FAMILIES } from './exporter-families.js';
import { REGION_FAMILIES } from './region-families.js';
import type { ScrapedInstance } from './scraped-instance.js';
import { TASK_FAMILIES } from './task-families.js';

/** What is told of each instance, in the order of the exposition. */
export const FLEET_FAMILIES: readonly Family<ScrapedInstance>[] = [
  ...INSTANCE_FAMILIES,
  ...TASK_FAMILIES,
  ...OUTCOME_FAMILIES,
];

/** Every family of the exporter but `process_*` and `nodejs_*`. */
export const FAMILIES: readonly FamilyHead[] = [
  ...FLEET_FAMILIES,
  ...REGION_FAMILIES,
  ...Object.values(EXPORTER_FAMILIES),
];
