import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RequestHandler, Request } from 'express';
import type { WebParts } from './web-parts.js';
import { instanceBody } from '../status/instance-body.js';
import { PAGE_ROWS } from '../status/page/page-url.js';
import { statusPage } from '../status/page/page.js';
import { FleetIndex } from '../status/fleet-index.js';
import { statusBody } from '../status/status-body.js';
import type { StatusParts } from '../status/status-body.js';
import { statusFacts } from '../status/status-facts.js';
import type { SharedPages } from './shared-pages.js';
import { parseStatusQuery } from '../status/query.js';
import type { StatusQuery } from '../status/query.js';

/** What is told of the fleet; the index behind it is shared by everyone who looks. */
export function statusHandlers(
  parts: WebParts,
  assets: string,
  pages: SharedPages,
): Record<'json' | 'page', RequestHandler> {
  const { name, telemetryPath } = parts;
  const onBug = (error: unknown): void => parts.onBug(error);
  const index = new FleetIndex();
  const look = async (query: StatusQuery): Promise<StatusParts> => {
    const snapshot = parts.snapshot();
    await index.update(snapshot);
    const found = index.find(query, snapshot);
    return { snapshot, readiness: parts.ready(), query, found, facets: index.facets };
  };
  return {
    async page(request, response) {
      const parameters = parametersOf(request);
      const open = parameters.get('open')?.slice(0, MAX_OPEN) ?? '';
      const { query, problems } = parseStatusQuery(parameters, { limit: PAGE_ROWS, alsoAllowed: ['open'] });
      await pages.answer(request, response, async () => {
        const seen = await look(query);
        const opened = open === '' ? undefined : index.get(open);
        return {
          type: 'text/html',
          tagged: `${assets} ${statusFacts(seen, opened)}`,
          async text() {
            const facts = {
              name,
              telemetryPath,
              assets,
              answer: statusBody(seen, onBug),
              query: { ...query, open },
              problems,
              opened: opened && instanceBody(opened, seen.snapshot, onBug),
              onBug,
            };
            // All is read: other work has its turn before the long rest.
            await nextTurn();
            return statusPage(facts);
          },
        };
      });
    },
    async json(request, response) {
      const { query, problems } = parseStatusQuery(parametersOf(request));
      if (problems.length > 0) {
        response
          .status(400)
          .type('application/json')
          .send(`${JSON.stringify({ errors: problems })}\n`);
        return;
      }
      await pages.answer(request, response, async () => {
        const seen = await look(query);
        return {
          type: 'application/json',
          tagged: statusFacts(seen),
          text: async () => JSON.stringify(statusBody(seen, onBug)),
        };
      });
    },
  };
}

const MAX_OPEN = 500;

function parametersOf(request: Request): URLSearchParams {
  const start = request.url.indexOf('?');
  return new URLSearchParams(start === -1 ? '' : request.url.slice(start + 1));
}
