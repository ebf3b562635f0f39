import type { RequestHandler, Request } from 'express';
import type { WebParts } from './app.js';
import { instanceAnswer } from './instance-answer.js';
import type { InstanceAnswer } from './instance-answer.js';
import { PAGE_ROWS } from './page/page-url.js';
import { statusPage } from './page/page.js';
import { FleetIndex } from './fleet-index.js';
import { statusAnswer } from './status-answer.js';
import type { StatusAnswer } from './status-answer.js';
import { sendWithTag } from './send-with-tag.js';
import { parseStatusQuery } from './status-query.js';
import type { StatusQuery } from './status-query.js';

/** What is told of the fleet; the index behind it is shared by everyone who looks. */
export function statusHandlers(parts: WebParts, assets: string): Record<'json' | 'page', RequestHandler> {
  const { name, telemetryPath } = parts;
  const index = new FleetIndex();
  const look = (query: StatusQuery, open: string): { answer: StatusAnswer; opened: InstanceAnswer | undefined } => {
    const snapshot = parts.snapshot();
    index.update(snapshot);
    const found = index.find(query, snapshot);
    const opened = open === '' ? undefined : index.get(open);
    return {
      answer: statusAnswer({ snapshot, readiness: parts.ready(), query, found, facets: index.facets }),
      opened: opened && instanceAnswer(opened, snapshot),
    };
  };
  return {
    async page(request, response) {
      const parameters = parametersOf(request);
      const open = parameters.get('open')?.slice(0, MAX_OPEN) ?? '';
      const { query, problems } = parseStatusQuery(parameters, { limit: PAGE_ROWS, alsoAllowed: ['open'] });
      const { answer, opened } = look(query, open);
      const text = statusPage({
        name,
        telemetryPath,
        assets,
        answer,
        query: { ...query, open },
        problems,
        opened,
      });
      await sendWithTag(request, response, {
        type: 'text/html',
        text,
        tagged: JSON.stringify([answer, opened, assets]),
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
      const text = JSON.stringify(look(query, '').answer);
      await sendWithTag(request, response, { type: 'application/json', text, tagged: text });
    },
  };
}

const MAX_OPEN = 500;

function parametersOf(request: Request): URLSearchParams {
  const start = request.url.indexOf('?');
  return new URLSearchParams(start === -1 ? '' : request.url.slice(start + 1));
}
