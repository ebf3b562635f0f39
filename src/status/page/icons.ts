import type { PageState } from '../../domain/page-state.js';
import { html } from './html.js';
import type { Html } from './html.js';

type Icon = PageState | 'finished';

/** Shapes differ as much as colours do: who sees no colour still tells the states apart. 16 x 16, drawn by the current colour. */
const SHAPES: Readonly<Record<Icon, Html>> = {
  stuck: html`<path d="M5 1h6l4 4v6l-4 4H5l-4-4V5z" /><path class="mark" d="M8 4v5M8 11v1.6" />`,
  failed: html`<circle cx="8" cy="8" r="7" /><path class="mark" d="M5.2 5.2l5.6 5.6M10.8 5.2l-5.6 5.6" />`,
  unknown: html`<path d="M8 0l8 8-8 8-8-8z" /><path
      class="mark"
      d="M6 6.4a2 2 0 1 1 2.6 1.9c-.4.2-.6.5-.6 1M8 11.2v.9"
    />`,
  running: html`<circle cx="8" cy="8" r="7" /><path class="mark" d="M8 11.6V4.6M5 7.4l3-3 3 3" />`,
  queued: html`<circle class="line" cx="8" cy="8" r="6.2" /><path class="line" d="M8 4.4V8l2.6 1.8" />`,
  finished: html`<path class="line" d="M2.5 8.5l3.5 3.5 7.5-8" />`,
  idle: html`<circle class="line" cx="8" cy="8" r="6.2" /><path class="line" d="M5 8h6" />`,
  unsupported: html`<circle class="line" cx="8" cy="8" r="6.2" /><path class="line" d="M3.8 12.2l8.4-8.4" />`,
};

/** The definitions that `icon` refers to; once in a page. */
export const ICON_SPRITE: Html = html`<svg class="sprite" aria-hidden="true">
  ${Object.entries(SHAPES).map(
    ([state, shape]) => html`<symbol id="icon-${state}" viewBox="0 0 16 16">${shape}</symbol>`,
  )}
</svg>`;

export function icon(state: Icon): Html {
  return html`<svg class="icon" aria-hidden="true"><use href="#icon-${state}"></use></svg>`;
}

/** The browser tab's icon. */
export const TAB_ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="3" fill="#1f5fbf"/>' +
  '<path d="M8 12V4.5M5 7.5l3-3 3 3" fill="none" stroke="#fff" stroke-width="1.8"/></svg>';

/** What people read for a state. */
export const STATE_WORDS: Readonly<Record<PageState, string>> = {
  stuck: 'Stuck',
  failed: 'Failed last',
  unknown: 'Unknown',
  running: 'Running',
  queued: 'Queued',
  idle: 'Idle',
  unsupported: 'Unsupported',
};

/** What a state means, for who points at its count. */
export const STATE_MEANINGS: Readonly<Record<PageState, string>> = {
  stuck: 'A running task has made no progress for longer than the instance allows',
  failed: 'Nothing is under way, and the last backup that ended failed',
  unknown: 'Not polled with success yet, or not for too long',
  running: 'A backup task has begun',
  queued: 'A backup task waits to begin',
  idle: 'No backup task is listed',
  unsupported: 'The API answered that the instance has no backup tasks',
};

/** A state as icon and word. */
export function badge(state: PageState): Html {
  return html`<span class="badge ${state}">${icon(state)}${STATE_WORDS[state]}</span>`;
}
