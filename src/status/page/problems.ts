import type { RegionBody, StatusBody } from '../status-body.js';
import { html } from './html.js';
import type { Html } from './html.js';
import { timeElement } from './time-element.js';

/** What the exporter cannot see or do, and why; nothing when all is well. */
export function problemList(answer: StatusBody, badParameters: readonly string[]): Html {
  const problems = [
    ...badParameters.map((problem) => html`Address of this page: ${problem}`),
    ...exporterProblems(answer),
    ...answer.accounts.flatMap(({ account, problem }) =>
      problem === null
        ? []
        : html`Credentials of account <strong>${account}</strong> do not work:
            <code>${problem.code}</code> ${problem.message} ${timeElement(problem.at, 'ago', answer.now)}`,
    ),
    ...answer.regions.flatMap((place) => placeProblems(place, answer.now)),
  ];
  if (problems.length === 0) return html`<section class="problems" aria-label="Problems" hidden></section>`;
  return html`<section class="problems" aria-label="Problems">
    <h2>What needs a look</h2>
    <ul>
      ${problems.map((problem) => html`<li>${problem}</li>`)}
    </ul>
  </section>`;
}

function exporterProblems({ exporter, now }: StatusBody): Html[] {
  return [
    ...(exporter.ready ? [] : [html`Not ready: ${exporter.reason}`]),
    ...(exporter.config_reload.successful
      ? []
      : [
          html`The last reload failed; in force is the configuration of
          ${timeElement(exporter.config_reload.last_success, 'at', now)}`,
        ]),
    ...(exporter.state_saved === false
      ? [html`The state could not be saved: after a restart, outcomes may be missing`]
      : []),
  ];
}

function placeProblems(place: RegionBody, now: string): Html[] {
  const where = html`<strong>${place.account}</strong> in ${place.region_id}`;
  const cooldowns = place.api.flatMap(({ action, cooldown }) =>
    cooldown === null
      ? []
      : html`${where}: ${action} is held back, tried again ${timeElement(cooldown.until, 'in', now)}:
          <code>${cooldown.code}</code> ${cooldown.message}`,
  );
  const { discovery } = place;
  if (discovery === null || discovery.success || discovery.problem === null) return cooldowns;
  const since = timeElement(discovery.last_success, 'ago', now);
  const last = since ? html`last worked ${since}` : html`never worked since the start`;
  return [...cooldowns, html`${where}: discovery fails, ${last}: ${discovery.problem}`];
}
