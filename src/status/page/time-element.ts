import { tellTime } from './age-text.js';
import type { TimeFormat } from './age-text.js';
import { html } from './html.js';
import type { Html } from './html.js';

/**
 * A time for people: UTC as the page is made and on hover; the script retells it in the viewer's zone and keeps it
 * up to date. Undefined when there is no time.
 */
export function timeElement(time: string | null | undefined, telling: TimeFormat, now: string): Html | undefined {
  if (time === null || time === undefined) return undefined;
  const utc = utcText(time);
  const text = telling === 'at' ? utc : tellTime(telling, Date.parse(time), Date.parse(now));
  return html`<time datetime="${time}" data-tell="${telling}" title="${utc}">${text}</time>`;
}

/** `2026-01-15 08:30:00 UTC` */
function utcText(time: string): string {
  return `${time.slice(0, 10)} ${time.slice(11, 19)} UTC`;
}
