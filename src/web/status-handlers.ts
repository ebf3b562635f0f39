import type { RequestHandler, Request } from 'express';
import type { WebParts } from './app.js';
import { FleetIndex } from './fleet-index.js';
import { statusAnswer } from './status-answer.js';
import type { StatusAnswer } from './status-answer.js';
import { sendWithTag } from './send-with-tag.js';
import { parseStatusQuery } from './status-query.js';
import type { StatusQuery } from './status-query.js';

/** What is told of the fleet; the index behind it is shared by everyone who looks. */
export function statusHandlers(parts: Pick<WebParts, 'snapshot' | 'ready'>): { readonly json: RequestHandler } {
  const index = new FleetIndex();
  const answer = (query: StatusQuery): StatusAnswer => {
    const snapshot = parts.snapshot();
    index.update(snapshot);
    return statusAnswer({
      snapshot,
      readiness: parts.ready(),
      query,
      found: index.find(query, snapshot),
      facets: index.facets,
    });
  };
  return {
    async json(request, response) {
      const { query, problems } = parseStatusQuery(parametersOf(request));
      if (problems.length > 0) {
        response
          .status(400)
          .type('application/json')
          .send(`${JSON.stringify({ errors: problems })}\n`);
        return;
      }
      const text = JSON.stringify(answer(query));
      await sendWithTag(request, response, { type: 'application/json', text, tagged: text });
    },
  };
}

export function parametersOf(request: Request): URLSearchParams {
  const start = request.url.indexOf('?');
  return new URLSearchParams(start === -1 ? '' : request.url.slice(start + 1));
}
