import type { RequestHandler } from 'express';
import type { WebParts } from './app.js';
import { html } from './html.js';

export function landingPage(parts: WebParts): RequestHandler {
  return (_request, response) => {
    const links = [parts.telemetryPath, '/api/v1/status', '/config', '/-/healthy', '/-/ready'];
    const page = html`<!doctype html>
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <title>${parts.name}</title>
        </head>
        <body>
          <h1>${parts.name}</h1>
          <p>Version ${parts.snapshot().exporter.version}</p>
          <ul>
            ${links.map((path) => html`<li><a href="${path}">${path}</a></li>`)}
          </ul>
        </body>
      </html> `;
    response.type('text/html; charset=utf-8').send(page.text);
  };
}
