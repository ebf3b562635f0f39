import express from 'express';
import type { ErrorRequestHandler, Express, Request, RequestHandler, Response } from 'express';
import helmet from 'helmet';
import { BodyWriter } from './body-writer.js';
import { errorBody } from './error-body.js';
import { loadAssets } from '../status/page/assets.js';
import type { Asset } from '../status/page/assets.js';
import { SharedPages } from './shared-pages.js';
import { statusHandlers } from './status-routes.js';
import type { WebParts } from './web-parts.js';

type Method = 'GET' | 'POST' | 'PUT';
type Route = Readonly<Partial<Record<Method, RequestHandler>>>;

/** The request listener of the exporter. No path of the host is ever read: every answer is made in memory. */
export function createApp(parts: WebParts): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', false);
  app.enable('case sensitive routing');
  app.enable('strict routing');
  app.use(securityHeaders());
  if (parts.guard !== undefined) app.use(parts.guard);
  app.use(boundedUrl);
  for (const [path, route] of Object.entries(routes(parts))) {
    const allow = allowedMethods(route);
    app.all(exactly(path), dispatch(route, allow));
  }
  app.use((request, response) => sendError(request, response, 404, 'Not Found'));
  app.use(errorHandler(parts));
  return app;
}

function routes(parts: WebParts): Readonly<Record<string, Route>> {
  const assets = loadAssets();
  const writer = new BodyWriter(parts);
  const pages = new SharedPages(parts, writer);
  const status = statusHandlers(parts, assets.folder, pages);
  const reload = reloadHandler(parts);
  return {
    '/': { GET: status.page },
    [parts.telemetryPath]: { GET: scrapeHandler(parts, writer) },
    '/api/v1/status': { GET: status.json },
    '/config': {
      GET: (request, response) => writer.send(request, response.type(PLAIN_TEXT), [parts.configText()]),
    },
    '/-/healthy': { GET: (_request, response) => sendText(response, 200, `${parts.name} is healthy.`) },
    '/-/ready': { GET: readyHandler(parts) },
    '/-/reload': { POST: reload, PUT: reload },
    ...Object.fromEntries([...assets.files].map(([path, asset]) => [path, { GET: assetHandler(asset, writer) }])),
  };
}

/** A route by its literal path: nothing in it is a pattern. */
function exactly(path: string): RegExp {
  return new RegExp(`^${path.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)}$`);
}

function allowedMethods(route: Route): string {
  return [...Object.keys(route), ...(route.GET ? ['HEAD'] : []), 'OPTIONS'].join(', ');
}

function dispatch(route: Route, allow: string): RequestHandler {
  return (request, response, next) => {
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const handler = isMethod(method) ? route[method] : undefined;
    if (handler) return handler(request, response, next);
    response.setHeader('Allow', allow);
    if (request.method === 'OPTIONS') return void response.status(204).end();
    return sendError(request, response, 405, 'Method Not Allowed');
  };
}

function isMethod(method: string): method is Method {
  return method === 'GET' || method === 'POST' || method === 'PUT';
}

/** Strict-Transport-Security is left to whoever configures TLS; everything that the pages load is their own. */
function securityHeaders(): RequestHandler {
  const own = ["'self'"];
  const none = ["'none'"];
  return helmet({
    strictTransportSecurity: false,
    xFrameOptions: { action: 'deny' },
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: none,
        scriptSrc: own,
        styleSrc: own,
        imgSrc: own,
        connectSrc: own,
        formAction: own,
        baseUri: none,
        frameAncestors: none,
      },
    },
  });
}

const MAX_URL_LENGTH = 8_192;

function boundedUrl(request: Request, response: Response, next: () => void): void {
  response.setHeader('Cache-Control', 'no-store');
  if (request.url.length > MAX_URL_LENGTH) return sendError(request, response, 414, 'URI Too Long');
  try {
    decodeURIComponent(request.path);
  } catch {
    return sendError(request, response, 400, 'Bad Request: the path is not valid percent-encoded UTF-8');
  }
  next();
}

function scrapeHandler(parts: WebParts, writer: BodyWriter): RequestHandler {
  return async (request, response) => {
    // Also when the scraper goes away before there is an answer.
    const closed = new Promise<void>((resolve) => response.once('close', resolve));
    const answer = await parts.scrape({
      accept: request.headers.accept,
      acceptEncoding: request.headers['accept-encoding']?.toString(),
    });
    void closed.then(() => answer.release());
    writer.send(request, response.status(answer.status).set(answer.headers), answer.body);
  };
}

/** The path holds a hash of what is there: it may be kept for ever. */
function assetHandler({ type, body }: Asset, writer: BodyWriter): RequestHandler {
  return (request, response) => {
    response.setHeader('Cache-Control', 'public, max-age=31536000, immutable');
    writer.send(request, response.type(type), [body]);
  };
}

function readyHandler(parts: WebParts): RequestHandler {
  return (_request, response) => {
    const { ready, reason } = parts.ready();
    if (ready) sendText(response, 200, `${parts.name} is ready.`);
    else sendText(response, 503, `${parts.name} is not ready: ${reason}`);
  };
}

function reloadHandler(parts: WebParts): RequestHandler {
  return (_request, response) => {
    if (!parts.lifecycle)
      return sendText(response, 403, 'Lifecycle API is not enabled: start with --web.enable-lifecycle');
    const problems = parts.reload();
    if (problems.length === 0) return sendText(response, 200, 'Configuration reloaded.');
    sendText(response, 500, ['The old configuration stays in force:', ...problems].join('\n'));
  };
}

/** Express recognises an error handler by its four parameters. */
function errorHandler(parts: WebParts): ErrorRequestHandler {
  return (error: unknown, request, response, _next) => {
    parts.onBug(error);
    if (response.headersSent) response.destroy();
    else sendError(request, response, 500, 'Internal Server Error');
  };
}

const PLAIN_TEXT = 'text/plain; charset=utf-8';

function sendText(response: Response, status: number, text: string): void {
  response
    .status(status)
    .type(PLAIN_TEXT)
    .send(text.endsWith('\n') ? text : `${text}\n`);
}

function sendError(request: Request, response: Response, status: number, error: string): void {
  const { type, text } = errorBody(request.url, error);
  response.status(status).type(type).send(text);
}
