import { expect } from 'chai';
import { parseFlags } from '../../../dist/cli/flags.js';
import { ask, serveParts } from './helpers.js';
import type { TestServer } from './helpers.js';

/** Whether the command line refuses the telemetry path. */
function isPathTaken(path: string): boolean {
  try {
    parseFlags([`--web.telemetry-path=${path}`]);
    return false;
  } catch {
    return true;
  }
}

describe('the routes', () => {
  let server: TestServer;
  before(async () => {
    server = await serveParts();
  });
  after(() => server.close());

  it('serve the exposition as it was rendered', async () => {
    const { status, headers, body } = await ask(server, '/metrics');
    expect(status).to.equal(200);
    expect(headers['content-type']).to.equal('text/plain; version=0.0.4; charset=utf-8');
    expect(headers['content-length']).to.equal('12');
    expect(headers.etag).to.equal(undefined);
    expect(body).to.equal('up 1\ndown 0\n');
  });

  it('hand the facts of the request to the scrape', async () => {
    const seen: unknown[] = [];
    const scraped = await serveParts({
      scrape: async ({ accept, acceptEncoding }) => {
        seen.push({ accept, acceptEncoding });
        return { status: 200, headers: {}, body: [], release: () => undefined };
      },
    });
    await ask(scraped, '/metrics?collect=all', {
      headers: { accept: 'application/openmetrics-text', 'accept-encoding': 'gzip' },
    });
    await ask(scraped, '/metrics', { method: 'HEAD' });
    await scraped.close();
    expect(seen).to.deep.equal([
      { accept: 'application/openmetrics-text', acceptEncoding: 'gzip' },
      { accept: undefined, acceptEncoding: undefined },
    ]);
  });

  it('serve another telemetry path literally, and then nothing at /metrics', async () => {
    const other = await serveParts({ telemetryPath: '/a.b(c)*/:d' });
    expect((await ask(other, '/a.b(c)*/:d')).body).to.equal('up 1\ndown 0\n');
    expect((await ask(other, '/aXb(c)*/:d')).status).to.equal(404);
    expect((await ask(other, '/metrics')).status).to.equal(404);
    await other.close();
  });

  it('answer health like Prometheus does', async () => {
    const { status, headers, body } = await ask(server, '/-/healthy');
    expect(status).to.equal(200);
    expect(headers['content-type']).to.equal('text/plain; charset=utf-8');
    expect(body).to.equal('alicloud-rds-backup-exporter is healthy.\n');
  });

  it('answer readiness with the reason while it is not ready', async () => {
    expect((await ask(server, '/-/ready')).body).to.equal('alicloud-rds-backup-exporter is ready.\n');
    const waiting = await serveParts({ ready: () => ({ ready: false, reason: '3 of 7 targets not polled yet' }) });
    const { status, body } = await ask(waiting, '/-/ready');
    await waiting.close();
    expect(status).to.equal(503);
    expect(body).to.equal('alicloud-rds-backup-exporter is not ready: 3 of 7 targets not polled yet\n');
  });

  it('show the configuration as plain text', async () => {
    const { headers, body } = await ask(server, '/config');
    expect(headers['content-type']).to.equal('text/plain; charset=utf-8');
    expect(body).to.equal('accounts: []\n');
  });

  for (const path of ['/metrics', '/', '/api/v1/status', '/config', '/-/healthy', '/-/ready']) {
    it(`answer HEAD on ${path} like GET without the body`, async () => {
      const get = await ask(server, path);
      const head = await ask(server, path, { method: 'HEAD' });
      expect(head.status).to.equal(200);
      expect(head.body).to.equal('');
      expect(head.headers['content-length']).to.equal(get.headers['content-length']);
      expect(head.headers['content-type']).to.equal(get.headers['content-type']);
    });

    it(`answer OPTIONS on ${path} with the methods`, async () => {
      const { status, headers, body } = await ask(server, path, { method: 'OPTIONS' });
      expect(status).to.equal(204);
      expect(headers.allow).to.equal('GET, HEAD, OPTIONS');
      expect(body).to.equal('');
    });

    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'TRACE', 'PROPFIND']) {
      it(`refuse ${method} on ${path}`, async () => {
        const { status, headers, body } = await ask(server, path, { method });
        expect(status).to.equal(405);
        expect(headers.allow).to.equal('GET, HEAD, OPTIONS');
        const text = path.startsWith('/api/') ? '{"errors":["Method Not Allowed"]}\n' : 'Method Not Allowed\n';
        expect(body).to.equal(text);
      });
    }
  }

  it('know no other path', async () => {
    const paths = ['/favicon.ico', '/metrics/', '/METRICS', '/api', '/assets/', '/-/quit', '/index.html'];
    for (const path of paths) {
      const { status, body } = await ask(server, path);
      expect([path, status, body]).to.deep.equal([path, 404, 'Not Found\n']);
    }
  });

  it('answer every error under /api/ as JSON', async () => {
    const api = '/api/v1/status';
    const failing = await serveParts({
      snapshot: () => {
        throw new Error('no snapshot');
      },
      onBug: () => undefined,
    });
    const asked: [string, string, number, string][] = [
      ['GET', `${api}/`, 404, 'Not Found'],
      ['GET', '/api/', 404, 'Not Found'],
      ['GET', '/api/%2e%2e/config', 404, 'Not Found'],
      ['POST', api, 405, 'Method Not Allowed'],
      ['GET', `${api}?q=${'a'.repeat(9_000)}`, 414, 'URI Too Long'],
      ['GET', '/api/%zz', 400, 'Bad Request: the path is not valid percent-encoded UTF-8'],
      ['GET', `http://a${api}/`, 404, 'Not Found'],
      ['GET', api, 500, 'Internal Server Error'],
    ];
    for (const [method, path, expected, error] of asked) {
      const { status, headers, body } = await ask(failing, path, { method });
      expect([path, status, headers['content-type'], body]).to.deep.equal([
        path,
        expected,
        'application/json; charset=utf-8',
        `${JSON.stringify({ errors: [error] })}\n`,
      ]);
    }
    await failing.close();
  });

  it('reach no file of the host', async () => {
    const paths = [
      '/../package.json',
      '/..%2fpackage.json',
      '/assets/../../package.json',
      '/assets/%2e%2e/%2e%2e/etc/passwd',
    ];
    for (const path of [...paths, '//etc/passwd', '/package.json', '/dist/main.js', String.raw`/..\..\etc\passwd`]) {
      expect([path, (await ask(server, path)).status]).to.deep.equal([path, 404]);
    }
  });

  it('refuse a malformed path', async () => {
    for (const path of ['/%', '/%zz', '/metrics%E0%A4', '/%ff']) {
      expect([path, (await ask(server, path)).status]).to.deep.equal([path, 400]);
    }
  });

  it('refuse an oversized URL', async () => {
    expect((await ask(server, `/metrics?${'a'.repeat(9_000)}`)).status).to.equal(414);
  });

  it('tell which telemetry paths they leave free', () => {
    const paths = ['/', '/api/v1/status', '/config', '/-/healthy', '/-/ready', '/-/reload', '/assets/metrics'];
    expect(paths.filter((path) => !isPathTaken(path))).to.deep.equal([]);
    expect(isPathTaken('/metrics')).to.equal(false);
  });
});

describe('every answer', () => {
  let server: TestServer;
  before(async () => {
    server = await serveParts();
  });
  after(() => server.close());

  for (const path of ['/', '/metrics', '/config', '/nowhere', '/%zz', '/api/v1/status?sort=x']) {
    it(`has strict headers on ${path}`, async () => {
      const { headers } = await ask(server, path);
      expect(headers['content-security-policy']).to.equal(
        "default-src 'none';script-src 'self';style-src 'self';img-src 'self';connect-src 'self';form-action 'self';base-uri 'none';frame-ancestors 'none'",
      );
      expect(headers['x-content-type-options']).to.equal('nosniff');
      expect(headers['x-frame-options']).to.equal('DENY');
      expect(headers['referrer-policy']).to.equal('no-referrer');
      expect(headers['cross-origin-opener-policy']).to.equal('same-origin');
      expect(headers['x-powered-by']).to.equal(undefined);
      expect(headers['strict-transport-security']).to.equal(undefined);
      expect(headers['cache-control']).to.be.oneOf(['no-store', 'no-cache']);
    });
  }

  it('hides the stack of an exception and reports it', async () => {
    const bugs: unknown[] = [];
    const failing = await serveParts({
      configText: () => {
        throw new Error('LTAI-secret at /home/x.js');
      },
      scrape: () => Promise.reject(new Error('scrape broke')),
      snapshot: () => {
        throw new TypeError('no snapshot');
      },
      onBug: (error) => bugs.push(error instanceof TypeError ? 'type error' : String(error)),
    });
    for (const path of ['/config', '/metrics', '/api/v1/status', '/']) {
      const { status, body } = await ask(failing, path);
      expect([path, status, body.includes('Internal Server Error')]).to.deep.equal([path, 500, true]);
      expect(body).to.not.match(/LTAI|broke|snapshot/);
    }
    await failing.close();
    expect(bugs).to.deep.equal(['Error: LTAI-secret at /home/x.js', 'Error: scrape broke', 'type error', 'type error']);
  });
});

describe('reload over HTTP', () => {
  it('is forbidden unless the lifecycle API is on', async () => {
    const reloads: string[] = [];
    const server = await serveParts({ reload: () => (reloads.push('reload'), []) });
    const { status, body } = await ask(server, '/-/reload', { method: 'POST' });
    await server.close();
    expect(status).to.equal(403);
    expect(body).to.equal('Lifecycle API is not enabled: start with --web.enable-lifecycle\n');
    expect(reloads).to.deep.equal([]);
  });

  it('answers POST and PUT once the new configuration is in force', async () => {
    const server = await serveParts({ lifecycle: true });
    for (const method of ['POST', 'PUT']) {
      expect((await ask(server, '/-/reload', { method })).status).to.equal(200);
    }
    await server.close();
  });

  it('answers 500 with every problem', async () => {
    const reload = (): string[] => [
      'config.yaml:3: polling.concurrency: 0: must be at least 1',
      'config.yaml:9: unknown key',
    ];
    const server = await serveParts({ lifecycle: true, reload });
    const { status, body } = await ask(server, '/-/reload', { method: 'POST' });
    await server.close();
    expect(status).to.equal(500);
    expect(body).to.equal(
      'The old configuration stays in force:\nconfig.yaml:3: polling.concurrency: 0: must be at least 1\nconfig.yaml:9: unknown key\n',
    );
  });

  it('refuses GET, whether it is on or off', async () => {
    for (const lifecycle of [true, false]) {
      const server = await serveParts({ lifecycle });
      const { status, headers } = await ask(server, '/-/reload');
      await server.close();
      expect(status).to.equal(405);
      expect(headers.allow).to.equal('POST, PUT, OPTIONS');
    }
  });
});
