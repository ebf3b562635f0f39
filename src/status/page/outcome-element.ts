import type { CompletionBody, InstanceBody } from '../instance-body.js';
import type { Outcome } from '../../domain/model.js';
import { OUTCOMES } from '../../domain/model.js';
import { html } from './html.js';
import type { Html } from './html.js';
import { icon } from './icons.js';
import { timeElement } from './time-element.js';

export interface LatestOutcome {
  readonly outcome: Outcome;
  readonly completion: CompletionBody;
}

/** The end seen last, of any mode. */
export function latestOutcome({ outcomes }: InstanceBody): LatestOutcome | undefined {
  let latest: LatestOutcome | undefined;
  for (const { last } of Object.values(outcomes)) {
    for (const outcome of OUTCOMES) {
      const completion = last[outcome];
      // Texts of one format and zone: they compare as the times do.
      if (completion && (latest === undefined || completion.at > latest.completion.at))
        latest = { outcome, completion };
    }
  }
  return latest;
}

export function outcomeElement(latest: LatestOutcome | undefined, now: string): Html | undefined {
  if (latest === undefined) return undefined;
  const { outcome, completion } = latest;
  return html`${outcomeBadge(outcome)}<span class="minor">${timeElement(completion.at, 'ago', now)}</span>`;
}

const ICONS = { Finished: 'finished', Failed: 'failed', Unknown: 'unknown' } as const;

export function outcomeBadge(outcome: Outcome): Html {
  return html`<span class="outcome ${outcome.toLowerCase()}">${icon(ICONS[outcome])}${outcome}</span>`;
}
