import type { InstanceBody } from '../instance-body.js';
import type { SortKey } from '../query.js';
import { html } from './html.js';
import type { Html } from './html.js';
import { badge } from './icons.js';
import { latestOutcome, outcomeElement } from './outcome-element.js';
import { progressBar } from './progress-bar.js';
import { timeElement } from './time-element.js';

export interface Column {
  /** Its class in the stylesheet. */
  readonly style: string;
  /** What the head says, and sorts by where there is a key. */
  readonly heads: readonly (readonly [label: string, key?: SortKey])[];
  cell(instance: InstanceBody, now: string): Html | string | undefined;
}

/** The columns of the list after the instance's own. */
export const COLUMNS: readonly Column[] = [
  {
    style: 'c-engine',
    heads: [['Engine', 'engine']],
    cell: ({ engine, engine_version }) => html`${engine} ${minor(engine_version)}`,
  },
  {
    style: 'c-place',
    heads: [
      ['Account', 'account'],
      ['Region', 'region_id'],
    ],
    cell: ({ account, region_id }) => html`${account}${minor(region_id)}`,
  },
  {
    style: 'c-state',
    heads: [['State', 'attention']],
    cell: (instance) => html`${badge(instance.state)}${minor(stateNote(instance))}`,
  },
  {
    style: 'c-progress',
    heads: [['Progress', 'progress']],
    cell: ({ tasks: [task], name, instance_id }, now) =>
      task && progressBar(task, { subject: name || instance_id, now }),
  },
  {
    style: 'c-moved',
    heads: [['Last progress', 'last_progress']],
    cell: ({ tasks: [task] }, now) => timeElement(task?.last_progress, 'ago', now),
  },
  {
    style: 'c-outcome',
    heads: [['Last outcome', 'last_outcome']],
    cell: (instance, now) => outcomeElement(latestOutcome(instance), now),
  },
  {
    style: 'c-data',
    heads: [
      ['Data age', 'last_good_poll'],
      ['Next poll', 'next_poll'],
    ],
    cell: ({ last_good_poll, next_poll }, now) =>
      html`${timeElement(last_good_poll, 'ago', now) ?? 'none yet'}${minor(timeElement(next_poll, 'in', now))}`,
  },
  {
    style: 'c-error',
    heads: [['Last error']],
    cell: ({ last_error: error }) =>
      error === null
        ? undefined
        : html`<span class="error" title="${error.message}">${error.code}</span>${minor(error.request_id, 'id')}`,
  },
];

function stateNote({ tasks: [task, ...others] }: InstanceBody): string | undefined {
  return task && `${task.mode}${others.length > 0 ? ` and ${others.length} more` : ''}`;
}

function minor(content: string | Html | null | undefined, style = ''): Html | undefined {
  if (content === null || content === undefined || content === '') return undefined;
  return html`<span class="minor ${style}">${content}</span>`;
}
