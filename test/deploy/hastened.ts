const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };
const DURATION = /(?<=\[|offset |(?:for|wait|interval): )(\d+)([smhd])\b/g;

/**
 * A configuration of Prometheus, its rules, or a configuration of Alertmanager whose every duration is so many times
 * shorter and which is otherwise the same text: `for`, `keep_firing_for`, look-backs, offsets, waits and intervals.
 * Thresholds stay, since an expression compares them with what the exporter tells.
 */
export function hastened(text: string, times: number): string {
  return text.replaceAll(DURATION, (_, count: string, unit: string) => {
    const ms = (1000 * Number(count) * (SECONDS[unit] ?? 0)) / times;
    return `${Math.ceil(ms)}ms`;
  });
}
