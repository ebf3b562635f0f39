import type { InstanceBody, TaskBody } from '../instance-body.js';
import { spanText } from './age-text.js';
import { html } from './html.js';
import type { Html } from './html.js';
import { progressBar } from './progress-bar.js';
import { timeElement } from './time-element.js';

/** One task with every field that the API gave and every time that the exporter saw. */
export function taskCard(task: TaskBody, instance: InstanceBody, now: string): Html {
  return html`<div class="task" data-key="task ${task.backup_job_id}">
    <p>${progressBar(task, { subject: `${instance.name || instance.instance_id}, job ${task.backup_job_id}`, now })}</p>
    ${task.stuck ? html`<p class="notice bad"><strong>Stuck</strong>: no progress for more than ${spanText(instance.stuck_after_seconds * 1_000)}.</p>` : undefined}
    ${openOutcome(task)}
    <dl>
      <dt>Job id</dt>
      <dd><code>${task.backup_job_id}</code></dd>
      <dt>Mode, action</dt>
      <dd>${task.mode}, ${task.task_action || 'action not given'}</dd>
      <dt>BackupStatus</dt>
      <dd>${task.backup_status ?? absent}</dd>
      <dt>BackupProgressStatus</dt>
      <dd>${task.backup_progress_status ?? absent}</dd>
      <dt>Process</dt>
      <dd>${task.process === null ? absent : `${task.process} %`}</dd>
      ${
        task.backup_id === null
          ? undefined
          : html`<dt>Backup id</dt>
              <dd><code>${task.backup_id}</code></dd>`
      }
      <dt>First seen</dt>
      <dd>${timeElement(task.first_seen, 'at', now)}</dd>
      <dt>Running since</dt>
      <dd>${timeElement(task.running_since, 'at', now) ?? 'not running yet'}</dd>
      <dt>Last progress</dt>
      <dd>${timeElement(task.last_progress, 'at', now)}</dd>
      ${task.unexpected.map(
        ({ field, value }) =>
          html`<dt>${field} as given</dt>
            <dd><code>${value}</code></dd>`,
      )}
    </dl>
  </div>`;
}

const absent = html`<span class="minor">not given</span>`;

function openOutcome({ unsettled_answers: answers }: TaskBody): Html | undefined {
  if (answers === null) return undefined;
  return html`<p class="notice">
    No longer listed: the exporter asks how it ended (${answers} of 3 answers did not say).
  </p>`;
}
