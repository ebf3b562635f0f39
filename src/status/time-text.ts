import type { StatusSnapshot } from './snapshot.js';

/** A steady time as RFC 3339 in UTC with milliseconds; null when there is none. */
export function timeText(snapshot: StatusSnapshot, steadyMs: number): string;
export function timeText(snapshot: StatusSnapshot, steadyMs: number | undefined): string | null;
export function timeText(snapshot: StatusSnapshot, steadyMs: number | undefined): string | null {
  return steadyMs === undefined ? null : new Date(Math.round(snapshot.toWall(steadyMs))).toISOString();
}
