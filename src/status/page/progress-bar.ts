import type { TaskBody } from '../instance-body.js';
import { html } from './html.js';
import type { Html } from './html.js';
import { timeElement } from './time-element.js';

/** The bar, the percentage and, where it means something, the time to go. */
export function progressBar(task: TaskBody, { subject, now }: { subject: string; now: string }): Html {
  if (task.progress_ratio === null) {
    return html`<span class="percent">${task.status}, no percentage given</span>`;
  }
  const percent = Math.round(task.progress_ratio * 100);
  const label = `Progress of the backup of ${subject}`;
  const tone = task.stuck ? 'stuck' : task.phase;
  return html`<span class="progress"
      ><progress class="${tone}" max="100" value="${percent}" aria-label="${label}"></progress>
      <span class="percent">${percent} %</span></span
    >${pace(task, now)}`;
}

/** The time to go, or for how long a stuck task has not moved. */
function pace(task: TaskBody, now: string): Html | undefined {
  if (task.stuck) {
    // The stylesheet hides it where the list has a column for that.
    return html`<span class="minor unmoved">last progress ${timeElement(task.last_progress, 'ago', now)}</span>`;
  }
  const time = timeElement(task.estimated_end, 'togo', now);
  return time && html`<span class="minor">${time}</span>`;
}
