import type { FleetRow } from './fleet-row.js';
import { statusHead } from './status-body.js';
import type { StatusParts } from './status-body.js';
import type { StatusSnapshot } from './snapshot.js';
import { estimatedEndAt } from '../domain/estimate-end.js';

/**
 * What the status answer depends on, but for the clock, as a text to compare: cheaper to make than the answer. A row is
 * told by its revision, and by what of it is told by the schedule and by the clock.
 */
export function statusFacts(parts: StatusParts, opened?: FleetRow): string {
  const { snapshot, found } = parts;
  const rows = opened === undefined ? found.rows : [...found.rows, opened];
  return JSON.stringify([statusHead(parts), snapshot.toWall(0), rows.map((row) => rowFacts(row, snapshot))]);
}

function rowFacts({ state, tasks, revision }: FleetRow, snapshot: StatusSnapshot): readonly unknown[] {
  const isEstimated = tasks.map((tracked) => estimatedEndAt(state, tracked, snapshot.now) !== undefined);
  return [revision, snapshot.nextPollAt(state.instance), ...isEstimated];
}
