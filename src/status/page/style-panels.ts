/** What is around the list: counts, filters, problems, detail, exporter. */
export const PANEL_STYLE = `
.problems { margin-bottom: 0.75rem; padding: 0.6rem 1rem; background: var(--bad-ground); border-left: 4px solid var(--bad-line); border-radius: 4px; }
.problems li { margin-top: 0.25rem; overflow-wrap: anywhere; }
.glance { display: flex; flex-wrap: wrap; gap: 0.15rem 1.5rem; color: var(--minor); margin-bottom: 0.75rem; }
.whole { white-space: nowrap; }
.glance strong { color: var(--text); font-weight: 600; }
.counts ul { display: grid; grid-template-columns: repeat(auto-fit, minmax(5.25rem, 1fr)); gap: 0.5rem; }
.count { display: grid; grid-template-columns: auto 1fr; align-items: center; column-gap: 0.5rem; height: 100%; padding: 0.5rem 0.75rem; background: var(--card); border: 1px solid var(--line); border-radius: 8px; color: var(--text); text-decoration: none; }
.count:hover { background: var(--hover); }
.count .number { font-size: 1.375rem; line-height: 1.2; font-weight: 600; }
.count .word { grid-column: 1 / -1; color: var(--minor); font-size: 0.8125rem; }
.count.none .number { color: var(--minor); font-weight: 400; }
.count[aria-current] { border-color: var(--focus); box-shadow: inset 0 -3px 0 var(--focus); }
.count[aria-current] .word { color: var(--text); font-weight: 600; }
.count.stuck:not(.none) { border-left: 4px solid var(--stuck); }
.count.failed:not(.none) { border-left: 4px solid var(--failed); }
.filters { display: flex; flex-wrap: wrap; align-items: end; gap: 0.5rem 0.75rem; margin: 0.75rem 0 1rem; }
.filters label, .several { display: grid; gap: 0.15rem; font-size: 0.8125rem; color: var(--minor); }
.filters input, .filters select { font-size: 0.9375rem; color: var(--text); max-width: 100%; }
.filters .search { flex: 1 1 16rem; max-width: 30rem; }
.several span { color: var(--text); padding: 0.4rem 0; }
.clear { padding: 0.4rem 0; }
.detail { position: relative; background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 0.9rem 1rem 1.1rem; overflow-wrap: anywhere; }
.detail > h2 { padding-right: 2.5rem; }
.close { position: absolute; right: 0.5rem; top: 0.5rem; width: 2.25rem; height: 2.25rem; display: grid; place-items: center; text-decoration: none; color: var(--minor); border-radius: 6px; }
.close:hover { background: var(--hover); color: var(--text); }
.detail p { margin-top: 0.4rem; }
.detail dl { display: grid; grid-template-columns: minmax(8rem, auto) minmax(0, 1fr); gap: 0.2rem 0.75rem; margin-top: 0.5rem; font-size: 0.875rem; }
.detail dt { color: var(--minor); }
.detail .links { flex-direction: column; margin-top: 0.4rem; }
.task { border: 1px solid var(--line); border-radius: 6px; padding: 0.5rem 0.75rem 0.7rem; margin-top: 0.5rem; }
.exporter { margin-top: 1.75rem; }
.exporter h2 { margin-bottom: 0.5rem; }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
.outcomes { margin-top: 0.4rem; border: 1px solid var(--line); border-radius: 6px; }
.outcomes caption { text-align: left; color: var(--minor); font-size: 0.8125rem; padding: 0.2rem 0; }
.plain { width: 100%; border-collapse: collapse; font-size: 0.875rem; }
.plain th, .plain td { text-align: left; vertical-align: top; padding: 0.4rem 0.75rem; border-bottom: 1px solid var(--line); }
.plain th.numeric, .plain td.numeric { text-align: right; }
.plain tbody tr:last-child > * { border-bottom: 0; }
.plain thead th { font-size: 0.8125rem; color: var(--minor); white-space: nowrap; }
.plain tbody th { font-weight: 400; }
.exporter .plain .minor { display: block; }
.exporter .plain :is(td, th) { white-space: nowrap; }
.budget { display: flex; align-items: center; gap: 0.6rem; white-space: nowrap; }
meter { width: 6rem; flex: none; }
details { margin-top: 0.75rem; }
summary { cursor: pointer; padding: 0.3rem 0; }
details li { padding: 0.15rem 0; overflow-wrap: anywhere; }
@media (min-width: 75rem) {
  .work.two { grid-template-columns: minmax(0, 1fr) minmax(22rem, 28rem); }
  .detail { position: sticky; top: 0.75rem; max-height: calc(100vh - 1.5rem); overflow-y: auto; }
}
@media (max-width: 74.99rem) { .work.two .detail { order: -1; } }
@media (max-width: 60rem) { .count { padding: 0.5rem 0.4rem; } .count .word { font-size: 0.75rem; } }
@media (max-width: 40rem) {
  body { padding: 0 0.75rem 1.5rem; }
  .counts ul { grid-template-columns: repeat(4, minmax(0, 1fr)); }
  .count { padding: 0.4rem 0.3rem; column-gap: 0.3rem; }
  .count .number { font-size: 1.125rem; }
  .count .word { font-size: 0.6875rem; overflow-wrap: anywhere; }
  .live { margin-left: 0; width: 100%; }
  .filters label { flex: 1 1 45%; }
  .filters .search { flex: 1 1 100%; max-width: none; }
  .filters select { width: 100%; }
}
`;
