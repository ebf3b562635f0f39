/** Colours, type and what is everywhere. Text has a contrast of at least 4.5 to 1, marks of 3 to 1, light and dark. */
export const BASE_STYLE = `
:root {
  color-scheme: light dark;
  --ground: #f6f7f9; --card: #ffffff; --line: #d9dde3; --strong-line: #7d8794;
  --text: #1a2230; --minor: #566173; --link: #14509e; --focus: #14509e; --hover: #eef2f8;
  --stuck: #b3261e; --failed: #a03a00; --unknown: #6b4a00; --running: #14509e; --queued: #4d5a6c;
  --idle: #5a6474; --unsupported: #5a6474; --finished: #1c6b3c;
  --bad-ground: #fdecea; --bad-line: #b3261e; --track: #e1e6ed;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #12161d; --card: #1a2029; --line: #333c49; --strong-line: #7d8794;
    --text: #e6eaf0; --minor: #a3adbb; --link: #8ab8ff; --focus: #8ab8ff; --hover: #232b37;
    --stuck: #ff8a80; --failed: #ffab70; --unknown: #f0c869; --running: #8ab8ff; --queued: #b4bfcd;
    --idle: #a3adbb; --unsupported: #a3adbb; --finished: #7ed3a0;
    --bad-ground: #3a1c1a; --bad-line: #ff8a80; --track: #2c3541;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 110rem; padding: 0 1.25rem 2rem; background: var(--ground); color: var(--text);
  font: 0.9375rem/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif;
  font-variant-numeric: tabular-nums;
}
h1, h2, h3, p, ul, dl, dd { margin: 0; padding: 0; }
h1 { font-size: 1.25rem; }
h2 { font-size: 1rem; }
h3 { font-size: 0.875rem; margin-top: 1.25rem; }
ul { list-style: none; }
a { color: var(--link); text-underline-offset: 0.15em; }
code, .id { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "Noto Sans Mono", monospace; font-size: 0.8125rem; }
.id, code { overflow-wrap: anywhere; }
.minor { color: var(--minor); font-size: 0.8125rem; }
.numeric { text-align: right; }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; border-radius: 3px; }
[tabindex="-1"]:focus { outline: none; }
[hidden] { display: none !important; }
.skip { position: absolute; left: -100rem; }
.skip:focus { left: 1rem; top: 0.5rem; z-index: 2; background: var(--card); padding: 0.5rem; }
.sprite { position: absolute; width: 0; height: 0; }
.icon { width: 1em; height: 1em; flex: none; fill: currentColor; }
.icon .mark, .mark { fill: none; stroke: var(--card); stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round; }
.icon .line, .line { fill: none; stroke: currentColor; stroke-width: 1.6; stroke-linecap: round; }
button, input, select {
  font: inherit; color: inherit; background: var(--card); border: 1px solid var(--strong-line); border-radius: 6px;
  padding: 0.3rem 0.6rem; min-height: 2.25rem;
}
button { cursor: pointer; }
button:hover { background: var(--hover); }
.top { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0.25rem 0.75rem; padding: 1rem 0 0.75rem; }
.live { margin-left: auto; }
.live button { min-height: 1.75rem; padding: 0 0.6rem; margin-left: 0.5rem; }
.live button[aria-pressed="true"] { background: var(--text); color: var(--card); }
.notice { border-left: 4px solid var(--strong-line); background: var(--card); padding: 0.5rem 0.75rem; border-radius: 4px; }
.notice.bad { border-color: var(--bad-line); background: var(--bad-ground); }
.notice:empty { display: none; }
#connection { position: sticky; top: 0.5rem; z-index: 1; font-weight: 600; box-shadow: 0 1px 6px #0004; margin-bottom: 0.75rem; }
.offline main { opacity: 0.85; filter: saturate(0.4); }
footer { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0.5rem 2rem; margin-top: 2rem; padding-top: 0.75rem; border-top: 1px solid var(--line); }
.links { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; }
`;
