import { TELLINGS, tellTime } from '../page/age-text.js';

const zoned = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

/** Tells every time below `root` against now, or in the viewer's zone with UTC on hover. */
export function retellTimes(root: ParentNode, nowMs: number): void {
  for (const element of root.querySelectorAll('time')) {
    const telling = TELLINGS.find((known) => known === element.dataset.tell);
    const timeMs = Date.parse(element.dateTime);
    if (telling === undefined || Number.isNaN(timeMs)) continue;
    const local = zoned.format(timeMs);
    const text = telling === 'at' ? local : tellTime(telling, timeMs, nowMs);
    if (element.textContent !== text) element.textContent = text;
    const utc = `${element.dateTime.slice(0, 10)} ${element.dateTime.slice(11, 19)} UTC`;
    const hover = telling === 'at' ? utc : `${local} (${utc})`;
    if (element.title !== hover) element.title = hover;
  }
}
