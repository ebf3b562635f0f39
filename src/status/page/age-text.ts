/** How people say a span of time: rounded down, one unit, two while the second still matters. Never negative. */
export function spanText(spanMs: number): string {
  const seconds = Math.max(0, Math.floor(spanMs / 1_000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 12) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} d`;
}

/** How a time is told against now. */
export const TELLINGS = ['ago', 'in', 'togo', 'at'] as const;
export type TimeFormat = (typeof TELLINGS)[number];

/** The text of a time by the clock; `at` is not by the clock and is left to the zone of whoever reads it. */
export function tellTime(telling: Exclude<TimeFormat, 'at'>, timeMs: number, nowMs: number): string {
  if (telling === 'ago') return `${spanText(nowMs - timeMs)} ago`;
  if (telling === 'togo') return toGoText(timeMs - nowMs);
  return timeMs - nowMs >= 1_000 ? `in ${spanText(timeMs - nowMs)}` : 'due';
}

/** An estimate is told no finer than it is known. */
function toGoText(leftMs: number): string {
  if (leftMs < 60_000) return 'under a minute to go';
  const minutes = Math.round(leftMs / 60_000);
  if (minutes < 10) return `about ${minutes} min to go`;
  if (minutes < 60) return `about ${Math.round(minutes / 5) * 5} min to go`;
  const quarters = Math.round(minutes / 15);
  const rest = (quarters % 4) * 15;
  return `about ${Math.floor(quarters / 4)} h${rest === 0 ? '' : ` ${rest} min`} to go`;
}
