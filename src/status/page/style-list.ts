/** The list: a table where there is room, else one card an instance. */
export const LIST_STYLE = `
.work { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1rem; align-items: start; }
.list { container: list / inline-size; background: var(--card); border: 1px solid var(--line); border-radius: 8px; overflow: clip; }
.list h2 { padding: 0.75rem 1rem 0.5rem; }
.list table { width: 100%; border-collapse: collapse; }
.list thead { position: sticky; top: 0; background: var(--card); box-shadow: 0 1px var(--strong-line); }
.list thead th { text-align: left; font-size: 0.8125rem; font-weight: 600; padding: 0.35rem 0.75rem; vertical-align: bottom; }
.list td, .list tbody th { padding: 0.45rem 0.75rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; font-weight: 400; }
.list tbody tr:last-child > * { border-bottom: 0; }
.list tbody tr:hover { background: var(--hover); }
.list tr[aria-current] { background: var(--hover); box-shadow: inset 4px 0 0 var(--focus); }
.list tr.stuck .c-name, .list tr.failed .c-name { font-weight: 600; }
.list .minor { display: block; font-weight: 400; }
.list td.c-engine .minor { display: inline; }
.list .c-state .minor { white-space: nowrap; }
.list .unmoved { display: none; }
.head, .sort { white-space: nowrap; display: block; color: inherit; text-decoration: none; min-height: 1.5rem; }
.sort:hover { text-decoration: underline; }
.c-name { min-width: 11rem; overflow-wrap: anywhere; }
.c-progress { min-width: 10rem; }
.c-error { overflow-wrap: anywhere; min-width: 7rem; max-width: 16rem; }
.badge { vertical-align: top; display: inline-flex; align-items: center; gap: 0.4em; font-weight: 600; white-space: nowrap; }
.badge.idle, .badge.unsupported { font-weight: 400; }
.badge.stuck, .count.stuck .icon, progress.stuck { color: var(--stuck); }
.badge.failed, .outcome.failed, .count.failed .icon { color: var(--failed); }
.badge.unknown, .count.unknown .icon { color: var(--unknown); }
.badge.running, .count.running .icon { color: var(--running); }
.badge.queued, .count.queued .icon { color: var(--queued); }
.badge.idle, .badge.unsupported { color: var(--idle); }
.outcome { vertical-align: top; white-space: nowrap; display: inline-flex; align-items: center; gap: 0.35em; }
.outcome.finished { color: var(--finished); }
.outcome.unknown { color: var(--unknown); }
.error { color: var(--failed); }
.progress { display: flex; align-items: center; gap: 0.6rem; }
.percent, .list time, .c-place .minor { white-space: nowrap; }
progress { appearance: none; flex: 1; min-width: 4rem; max-width: 16rem; height: 0.6rem; border: 1px solid var(--strong-line); border-radius: 99px; overflow: hidden; background: var(--track); color: var(--running); }
progress::-webkit-progress-bar { background: var(--track); }
progress::-webkit-progress-value { background: currentColor; transition: inline-size 0.6s; }
progress::-moz-progress-bar { background: currentColor; }
progress.queued { color: var(--queued); }
progress.ended { color: var(--finished); }
@media (prefers-reduced-motion: reduce) { progress::-webkit-progress-value { transition: none; } }
.empty { padding: 1.5rem 1rem; }
.pager { display: flex; flex-wrap: wrap; align-items: center; gap: 0.25rem 1rem; padding: 0.5rem 1rem; border-top: 1px solid var(--line); }
.pager p { margin-right: auto; color: var(--minor); }
.step { padding: 0.3rem 0.2rem; }
span.step { visibility: hidden; }
@container list (max-width: 68rem) {
  .list .c-engine, .list .c-moved, .list .c-error .id { display: none; }
  .list .c-progress { min-width: 8rem; }
  .list .c-error { min-width: 5rem; }
  .list thead th, .list td, .list tbody th { padding-inline: 0.5rem; }
  progress { min-width: 3rem; }
}
@container list (min-width: 52.01rem) and (max-width: 68rem) {
  .list th:first-child { padding-left: 1rem; }
  .list .unmoved { display: block; }
}
@container list (max-width: 52rem) {
  .list table, .list tbody { display: block; }
  .list thead { display: none; }
  .list tbody tr { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 0.3rem 1rem; padding: 0.7rem 1rem; border-bottom: 1px solid var(--line); }
  .list tbody tr > * { display: block; padding: 0; border: 0; max-width: none; min-width: 0; }
  .list tbody tr > td.none { display: none; }
  .list .c-engine { display: block; }
  .list .c-state, .list .c-place { text-align: right; }
  .list .c-state { grid-area: 1 / 2; }
  .list .c-progress { grid-column: 1 / -1; display: flex; flex-wrap: wrap; gap: 0 0.75rem; align-items: center; }
  .list .c-progress .progress { flex: 1 1 12rem; }
  .list .c-moved, .list .c-outcome, .list .c-data, .list .c-error { display: flex; flex-wrap: wrap; gap: 0 0.5rem; align-items: baseline; }
  .list td:is(.c-moved, .c-outcome, .c-data, .c-error)::before { color: var(--minor); font-size: 0.8125rem; flex: 0 0 6.5rem; }
  .list td.c-moved::before { content: "Last progress"; }
  .list td.c-outcome::before { content: "Last outcome"; }
  .list td.c-data::before { content: "Polled, next"; }
  .list td.c-error::before { content: "Last error"; }
  .list td:not(.c-state) .minor, .list .c-error .id { display: inline; }
  .list .c-place .minor { margin-left: 0.4rem; }
  progress { max-width: none; }
}
@container list (max-width: 34rem) {
  .list tbody tr > td:is(.c-engine, .c-place) { grid-column: 1 / -1; text-align: left; }
  .list tbody tr > td:is(.c-moved, .c-outcome, .c-data, .c-error) { grid-column: 1 / -1; }
}
`;
