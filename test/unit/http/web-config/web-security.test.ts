import { inspect } from 'node:util';
import { expect } from 'chai';
import { UsageError } from '../../../../dist/errors.js';
import { needTool } from '../../../helpers/tools.js';
import { Certificates } from './certificates.js';
import { WebServer } from './web-server.js';
import type { ClientOptions } from './web-server.js';

/** Of "open sesame", at cost 4. */
const SESAME = '$2y$04$fJ6Eoc2MM.eARKknKSIHZu1I/8Lk4RmFyZgczeQLiN4UGeKOlqJX6';
const USERS = `basic_auth_users:\n  alice: ${SESAME}\n`;

const as = (user: string, password: string): ClientOptions => ({ auth: `${user}:${password}` });

describe('a server by the web configuration', () => {
  const certificates = new Certificates();
  let web: WebServer;
  const start = async (yaml: string, compare?: 'bcrypt'): Promise<WebServer> =>
    (web = await WebServer.start(certificates, yaml, compare));

  afterEach(() => web.stop());
  after(() => certificates.remove());

  it('is plain and open with an empty file', async () => {
    await start('');
    expect(web.security.tls).to.equal(false);
    expect(await web.get()).to.include({ status: 200, body: 'ok 1\n' });
    expect(web.security.status()).to.deep.equal({ ok: true, problem: undefined });
  });

  it('asks for a password on every path', async () => {
    await start(USERS, 'bcrypt');
    for (const path of ['/', '/metrics', '/-/healthy', '/-/ready', '/config', '/api', '//', '/%2e%2e/x']) {
      const answer = await web.get(path);
      expect(answer, path).to.include({ status: 401, body: 'Unauthorized\n' });
      expect(answer?.headers['www-authenticate']).to.equal('Basic');
    }
    expect(await web.get('/metrics', { method: 'HEAD' })).to.include({ status: 401, body: '' });
    expect(web.served).to.deep.equal([]);
    expect(await web.get('/metrics', as('alice', 'open sesame'))).to.include({ status: 200, body: 'ok 1\n' });
    expect(await web.get('/metrics', as('alice', 'open sesamf'))).to.include({ status: 401 });
    expect(await web.get('/metrics', as('bob', 'open sesame'))).to.include({ status: 401 });
    expect(web.served).to.deep.equal(['/metrics']);
  });

  it('follows its users', async () => {
    await start(USERS);
    web.same = true;
    expect(await web.get('/', as('bob', 'x'))).to.include({ status: 401 });
    certificates.write('web.yml', USERS.replace('alice', 'bob'));
    expect(await web.get('/', as('bob', 'x'))).to.include({ status: 200 });
    expect(await web.get('/', as('alice', 'x'))).to.include({ status: 401 });
    certificates.write('web.yml', 'basic_auth_users: {}\n');
    expect(await web.get('/')).to.include({ status: 200 });
  });

  it('stays closed while the new file is broken, says so once without its secrets, and recovers', async () => {
    await start(USERS);
    web.same = true;
    for (const yaml of ['basic_auth_users:\n  alice: hunter2\n', 'basic_auth_users: {hunter2: "hunter2\n']) {
      certificates.write('web.yml', yaml);
      expect(await web.get()).to.include({ status: 401 });
      expect(await web.get('/', as('alice', 'x'))).to.include({ status: 200 });
      expect(web.security.status().ok).to.equal(false);
      expect(web.security.status().problem).to.match(/web\.yml:\d: /);
    }
    expect(web.logs('error')).to.have.length(2);
    expect(web.logs('error')[0]).to.deep.equal({
      msg: 'web configuration is broken, the last good one stays',
      fields: {
        file: certificates.path('web.yml'),
        problem: `${certificates.path('web.yml')}:2: basic_auth_users.alice: must be a bcrypt hash; this is too short for one`,
      },
    });
    expect(JSON.stringify(web.logged) + JSON.stringify(web.security.status())).not.to.contain('hunter2');
    certificates.write('web.yml', USERS);
    expect(web.security.status()).to.deep.equal({ ok: true, problem: undefined });
  });

  it('sets the headers on every answer, a refusal too, and takes blank ones away', async () => {
    await start(
      `${USERS}http_server_config:\n  headers:\n    Strict-Transport-Security: max-age=31536000\n` +
        `    X-Frame-Options: deny\n    Content-Security-Policy: |\n      default-src 'self';\n      img-src *\n    X-XSS-Protection: ''\n`,
    );
    web.same = true;
    web.server.prependListener('request', (_, response) => response.setHeader('X-XSS-Protection', '1'));
    for (const options of [{}, as('alice', 'x')]) {
      const headers = (await web.get('/', options))?.headers;
      expect(headers).to.include({
        'strict-transport-security': 'max-age=31536000',
        'x-frame-options': 'deny',
        'content-security-policy': "default-src 'self'; img-src *",
      });
      expect(headers).not.to.have.property('x-xss-protection');
    }
  });

  it('answers 429 beyond the rate, before any password is compared', async () => {
    await start(`${USERS}rate_limit:\n  interval: 1m30s\n  burst: 2\n`);
    web.same = true;
    const get = async (): Promise<number | undefined> => (await web.get('/', as('alice', 'x')))?.status;
    expect([await get(), await get(), await get()]).to.deep.equal([200, 200, 429]);
    await web.clock.advance(89_999);
    expect(await web.get('/', as('alice', 'y'))).to.include({ status: 429, body: 'Too Many Requests\n' });
    await web.clock.advance(1);
    expect([await get(), await get()]).to.deep.equal([200, 429]);
    expect(web.compared).to.deep.equal(['x']);
    certificates.write('web.yml', USERS);
    expect(await get()).to.equal(200);
  });

  it('refuses as JSON who asks the API', async () => {
    await start(`${USERS}rate_limit:\n  interval: 1m30s\n  burst: 2\n`);
    const get = async () => {
      const { status, headers, body } = (await web.get('/api/v1/status?limit=1'))!;
      return [status, headers['content-type'], body];
    };
    const json = 'application/json; charset=utf-8';
    expect(await get()).to.deep.equal([401, json, '{"errors":["Unauthorized"]}\n']);
    await get();
    expect(await get()).to.deep.equal([429, json, '{"errors":["Too Many Requests"]}\n']);
  });

  it('lets nobody in while passwords cannot be compared', async () => {
    await start(USERS);
    expect(await web.get('/', as('alice', 'x'))).to.include({ status: 500, body: 'Internal Server Error\n' });
    expect(web.logs('error')).to.deep.equal([
      { msg: 'password could not be compared', fields: { error: 'bcrypt is out' } },
    ]);
    expect(web.served).to.deep.equal([]);
  });

  it('answers 503 to a flood of guesses, and serves on', async () => {
    await start(USERS, 'bcrypt');
    const guesses = Array.from({ length: 40 }, (_, guess) => web.get('/', as('alice', `guess ${guess}`)));
    const answers = await Promise.all(guesses);
    const codes = answers.map((answer) => answer?.status);
    expect(codes).to.include(401).and.to.include(503);
    expect(answers.find((answer) => answer?.status === 503)?.headers['retry-after']).to.equal('1');
    expect(codes.filter((code) => code !== 401 && code !== 503)).to.deep.equal([]);
    expect(await web.get('/', as('alice', 'open sesame'))).to.include({ status: 200 });
  });

  it('shows no secret to whoever prints it', async function () {
    needTool(this, 'openssl', 'openssl');
    certificates.selfSigned('server');
    await start(`${USERS}tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n`);
    await web.get('/', as('alice', 'x'));
    expect(inspect(web.security, { depth: 9, showHidden: true })).not.to.match(/PRIVATE|\$2y|\$2b/);
    expect(JSON.stringify(web.logged)).not.to.match(/PRIVATE|\$2y|\$2b/);
  });

  it('cannot start with a file that is missing or wrong', async () => {
    await start('');
    certificates.write('web.yml', 'a: 1\nb: 2\n');
    for (const [yaml, count] of [['a: 1\nb: 2\n', 2]] as const) {
      const thrown = await WebServer.start(certificates, yaml).catch((error: unknown) => error);
      expect(thrown).to.be.instanceOf(UsageError).with.property('problems').with.length(count);
    }
  });
});
