/** The duration syntax of Prometheus' configuration: https://prometheus.io/docs/prometheus/latest/configuration/configuration/ */

/** Units from large to small; a duration names each at most once and in this order. */
const UNITS = [
  ['y', 31_536_000_000],
  ['w', 604_800_000],
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
] as const;

const SYNTAX = new RegExp(`^${UNITS.map(([unit]) => `(?:(\\d+)${unit})?`).join('')}$`);

/** Prometheus keeps durations as nanoseconds in 63 bits: about 292 years. */
const MAX_MS = 9_223_372_036_854;

/** Milliseconds of a text such as `500ms`, `1h30m`, `1d` or `0`; undefined when it is none, or too long to be one. */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0;
  const counts = text === '' ? null : SYNTAX.exec(text);
  if (counts === null) return undefined;
  const ms = UNITS.reduce((sum, [, unitMs], index) => sum + Number(counts[index + 1] ?? 0) * unitMs, 0);
  return ms <= MAX_MS ? ms : undefined;
}

/** The text as Prometheus itself prints it: years and weeks only when nothing is left over. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s';
  let rest = ms;
  let text = '';
  for (const [unit, unitMs] of UNITS) {
    if ((unit === 'y' || unit === 'w') && rest % unitMs !== 0) continue;
    const count = Math.floor(rest / unitMs);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * unitMs;
  }
  return text;
}
