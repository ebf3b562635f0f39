import type { InstanceBody } from '../instance-body.js';
import type { StatusBody } from '../status-body.js';
import { detailPanel } from './detail.js';
import { exporterLine, exporterSection } from './exporter-section.js';
import { filterForm, stateCounts } from './filters.js';
import { html } from './html.js';
import type { Html } from './html.js';
import { ICON_SPRITE, STATE_WORDS } from './icons.js';
import { instanceList } from './list.js';
import { statusUrl } from './page-url.js';
import type { PageQuery } from './page-url.js';
import { problemList } from './problems.js';

export interface PageFacts {
  readonly name: string;
  readonly telemetryPath: string;
  /** Where style and script are, relative to the page, ending in a slash. */
  readonly assets: string;
  readonly answer: StatusBody;
  readonly query: PageQuery;
  /** What was wrong in the address of the page. */
  readonly problems: readonly string[];
  /** The instance whose detail is open. */
  readonly opened: InstanceBody | undefined;
  /** Told of a row or detail that could not be rendered. */
  readonly onBug: (error: unknown) => void;
}

/** The whole status page. All that it loads comes from the exporter, all that it says is there without the script. */
export function statusPage(facts: PageFacts): string {
  const { name, assets, answer, query, onBug } = facts;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title(answer)}</title>
        <link rel="icon" type="image/svg+xml" href="${assets}icon.svg" />
        <link rel="stylesheet" href="${assets}style.css" />
        <script type="module" src="${assets}status/browser/main.js"></script>
      </head>
      <body data-now="${answer.now}">
        <a class="skip" href="#list">Skip to the list</a>
        ${ICON_SPRITE}
        <header class="top">
          <h1>RDS backups</h1>
          <p class="minor">${name} ${answer.version}</p>
          <p class="live" data-own hidden>
            <span id="live" class="minor"></span> <button type="button" id="pause" aria-pressed="false">Pause</button>
          </p>
        </header>
        <div id="connection" class="notice bad" role="alert" data-own></div>
        <main>
          ${problemList(answer, facts.problems)} ${exporterLine(answer)} ${stateCounts(answer, query)}
          ${filterForm(answer, query)}
          <div class="work${query.open === '' ? '' : ' two'}">
            ${instanceList(answer, query, onBug)}
            ${detailPanel({ instance: facts.opened, query, now: answer.now, onBug })}
          </div>
          ${exporterSection(answer)}
        </main>
        ${footer(facts)}
      </body>
    </html> `.text;
}

function title({ counts }: StatusBody): string {
  const bad = (['stuck', 'failed', 'unknown'] as const).filter((state) => counts[state] > 0);
  const words = bad.map((state) => `${counts[state]} ${STATE_WORDS[state].toLowerCase()}`);
  return [...(words.length > 0 ? [words.join(', ')] : []), 'RDS backups'].join(' · ');
}

function footer({ name, telemetryPath, answer, query }: PageFacts): Html {
  return html`<footer>
    <nav aria-label="Other pages">
      <ul class="links">
        <li><a href="${telemetryPath.slice(1)}">Metrics</a></li>
        <li><a href="${statusUrl(query)}">This list as JSON</a></li>
        <li><a href="config">Configuration</a></li>
        <li><a href="-/ready">Readiness</a></li>
      </ul>
    </nav>
    <p class="minor">
      ${name} ${answer.version}, revision ${answer.exporter.revision}, Node.js ${answer.exporter.node_version}
    </p>
  </footer>`;
}
