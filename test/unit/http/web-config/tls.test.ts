import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import https from 'node:https';
import { connect as connectPlain } from 'node:net';
import { connect } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { UsageError } from '../../../../dist/errors.js';
import { subjectAltNames } from '../../../../dist/http/web-config/client-certificate.js';
import { checkWebConfig } from '../../../../dist/http/web-config/web-security.js';
import { needTool } from '../../../helpers/tools.js';
import { Certificates } from './certificates.js';
import { WebServer } from './web-server.js';
import type { ClientOptions } from './web-server.js';

const TLS = 'tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n';
const VERIFY = `${TLS}  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n`;
const CLIENT = ['extendedKeyUsage=clientAuth'];

describe('TLS by the web configuration', function () {
  this.timeout(20_000);
  const certificates = new Certificates();
  let web: WebServer;
  const start = async (yaml: string): Promise<WebServer> => (web = await WebServer.start(certificates, yaml));
  const as = (name: string): { cert: string; key: string } => ({
    cert: certificates.text(`${name}.pem`),
    key: certificates.text(`${name}.key`),
  });
  const status = async (options?: ClientOptions): Promise<number | undefined> => (await web.get('/', options))?.status;

  before(function () {
    needTool(this, 'openssl', 'openssl');
    for (const name of ['first', 'second', 'ca', 'ca2']) certificates.selfSigned(name);
    certificates.selfSigned('stranger', CLIENT);
    certificates.signed('client', 'ca', [
      ...CLIENT,
      'subjectAltName=DNS:prometheus.example,URI:spiffe://example/prometheus',
    ]);
    certificates.signed('other', 'ca', [...CLIENT, 'subjectAltName=DNS:other.example,IP:::1']);
    certificates.signed('client2', 'ca2', CLIENT);
    certificates.signed('wrong-use', 'ca', ['extendedKeyUsage=serverAuth']);
    certificates.signed('middle', 'ca', ['basicConstraints=critical,CA:TRUE']);
    certificates.signed('by-middle', 'middle', CLIENT);
  });
  beforeEach(() => serve('first'));
  afterEach(() => web.stop());
  after(() => certificates.remove());

  /** `server.pem` and `server.key` from now on. */
  function serve(name: string): void {
    certificates.write('server.pem', certificates.text(`${name}.pem`));
    certificates.write('server.key', certificates.text(`${name}.key`));
  }

  /** What the openssl command negotiated: version and cipher suite, or undefined. */
  async function negotiated(...args: string[]): Promise<string | undefined> {
    const client = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${web.port}`, ...args], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    client.stdin.end();
    let output = '';
    for await (const chunk of client.stdout) output += String(chunk);
    const curve = /^Server Temp Key: (?:ECDH, )?([^,]+)/m.exec(output)?.[1];
    const [, version, cipher] = /^New, (.+), Cipher is (.+)$/m.exec(output) ?? [];
    return cipher === undefined || cipher === '(NONE)' ? undefined : `${version} ${cipher} ${curve}`;
  }

  it('serves TLS 1.2 and 1.3 unless told otherwise, and refuses what is older', async () => {
    await start(TLS);
    const weak = ['-cipher', 'ALL:@SECLEVEL=0'];
    expect(await negotiated('-tls1', ...weak)).to.equal(undefined);
    expect(await negotiated('-tls1_1', ...weak)).to.equal(undefined);
    expect(await negotiated('-tls1_2')).to.match(/^TLSv1.2 ECDHE-ECDSA-/);
    expect(await negotiated('-tls1_3')).to.match(/^TLSv1.3 TLS_AES_/);
    expect(await web.get()).to.include({ status: 200, body: 'ok 1\n', certificate: 'first' });
  });

  it('keeps to the versions, cipher suites and curves that are asked for', async () => {
    const suites = 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA';
    await start(
      `${TLS}  min_version: TLS10\n  max_version: TLS12\n  cipher_suites: [${suites}]\n  curve_preferences: [CurveP384]\n`,
    );
    const old = 'ECDHE-ECDSA-AES128-SHA secp384r1';
    expect(await negotiated('-tls1', '-cipher', 'ALL:@SECLEVEL=0')).to.equal(`TLSv1.0 ${old}`);
    expect(await negotiated('-tls1_2')).to.equal('TLSv1.2 ECDHE-ECDSA-AES256-GCM-SHA384 secp384r1');
    expect(await negotiated('-tls1_2', '-cipher', 'ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-GCM-SHA384')).to.equal(
      'TLSv1.2 ECDHE-ECDSA-AES256-GCM-SHA384 secp384r1',
    );
    expect(await negotiated('-tls1_2', '-cipher', 'ECDHE-ECDSA-AES128-GCM-SHA256')).to.equal(undefined);
    expect(await negotiated('-tls1_2', '-curves', 'P-256')).to.equal(undefined);
    expect(await negotiated('-tls1_3')).to.equal(undefined);
    await web.stop();

    await start(`${TLS}  min_version: TLS13\n  cipher_suites: [${suites}]\n`);
    expect(await negotiated('-tls1_2')).to.equal(undefined);
    expect(await negotiated('-tls1_3', '-ciphersuites', 'TLS_AES_128_GCM_SHA256')).to.match(
      /^TLSv1.3 TLS_AES_128_GCM_SHA256/,
    );
  });

  it('takes certificate, key and client CA inline', async () => {
    const inline = (name: string): string => JSON.stringify(certificates.text(name));
    await start(
      `tls_server_config:\n  cert: ${inline('server.pem')}\n  key: ${inline('server.key')}\n` +
        `  client_ca: ${inline('ca.pem')}\n  client_auth_type: RequireAndVerifyClientCert\n`,
    );
    expect(await status(as('client'))).to.equal(200);
    expect(await status(as('client2'))).to.equal(undefined);
  });

  const POLICIES: readonly (readonly [type: string, none: boolean, stranger: boolean, trusted: boolean])[] = [
    ['NoClientCert', true, true, true],
    ['RequestClientCert', true, true, true],
    ['RequireAnyClientCert', false, true, true],
    ['RequireClientCert', false, true, true],
    ['VerifyClientCertIfGiven', true, false, true],
    ['RequireAndVerifyClientCert', false, false, true],
  ];
  for (const [type, ...allowed] of POLICIES) {
    it(`${type} lets in: ${['none', 'untrusted', 'trusted'].filter((_, index) => allowed[index]).join(', ')}`, async () => {
      const ca = type === 'NoClientCert' ? '' : '  client_ca_file: ca.pem\n';
      await start(`${TLS}  client_auth_type: ${type}\n${ca}`);
      for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
        const clients = [{ maxVersion }, { ...as('stranger'), maxVersion }, { ...as('client'), maxVersion }];
        const got = await Promise.all(clients.map((options) => status(options)));
        expect(got, maxVersion).to.deep.equal(allowed.map((yes) => (yes ? 200 : undefined)));
      }
      expect(web.served).to.have.length(2 * allowed.filter(Boolean).length);
    });
  }

  it('trusts no certificate made for another use, and none at all by an empty client CA', async () => {
    await start(VERIFY);
    expect(await status(as('wrong-use'))).to.equal(undefined);
    await web.stop();
    certificates.write('empty.pem', 'garbage\n');
    await start(VERIFY.replace('ca.pem', 'empty.pem'));
    expect(await status(as('client'))).to.equal(undefined);
    expect(web.logs('warn')[0]!.fields.warning).to.equal(
      'the client CA holds no certificate: no client certificate is trusted',
    );
  });

  it('trusts a client CA that is no root', async () => {
    await start(VERIFY.replace('ca.pem', 'middle.pem'));
    expect(await status(as('by-middle'))).to.equal(200);
    expect(await status(as('client'))).to.equal(undefined);
  });

  it('hands nothing of a refused client on, however early it speaks', async () => {
    await start(VERIFY.replace('RequireAndVerify', 'RequireAny'));
    const socket = connect({ host: '127.0.0.1', port: web.port, rejectUnauthorized: false });
    socket.on('error', () => undefined);
    socket.write('GET /early HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(socket, 'close');
    expect(await status(as('stranger'))).to.equal(200);
    expect(web.served).to.deep.equal(['/']);
  });

  it('lets in only the names of client_allowed_sans', async () => {
    const sans = '  client_allowed_sans: [prometheus.example, "::1"]\n';
    await start(`${VERIFY}${sans}`);
    expect(await status(as('client'))).to.equal(200);
    expect(await status(as('other'))).to.equal(200);
    expect(await status(as('stranger'))).to.equal(undefined);
    certificates.write('web.yml', `${VERIFY}  client_allowed_sans: ["spiffe://example/prometheus"]\n`);
    expect(await status(as('client'))).to.equal(200);
    expect(await status(as('other'))).to.equal(undefined);
    certificates.write('web.yml', `${VERIFY}  client_allowed_sans: []\n`);
    expect(await status(as('client'))).to.equal(undefined);
  });

  it('serves curl with a client certificate', async function () {
    const curl = needTool(this, 'curl', 'curl');
    certificates.selfSigned('local', ['subjectAltName=IP:127.0.0.1']);
    await start(VERIFY.replace('server.pem', 'local.pem').replace('server.key', 'local.key'));
    const fetch = (...args: string[]): Promise<{ stdout: string }> =>
      promisify(execFile)(curl, ['-sS', '--cacert', 'local.pem', ...args, `https://127.0.0.1:${web.port}/metrics`], {
        cwd: certificates.folder,
      });
    expect((await fetch('--cert', 'client.pem', '--key', 'client.key')).stdout).to.equal('ok 1\n');
    const refused = await fetch().catch((error: unknown) => error);
    expect(refused).to.have.property('code').that.is.oneOf([35, 55, 56]);
  });

  it('shows a new certificate to the very next connection, while those that live go on', async () => {
    await start(TLS);
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1, maxCachedSessions: 0 });
    expect(await web.get('/', { agent })).to.include({ status: 200, certificate: 'first' });
    serve('second');
    expect(await web.get()).to.include({ status: 200, certificate: 'second' });
    expect(await web.get('/', { agent })).to.include({ status: 200, certificate: undefined });
    const inForce = {
      msg: 'web configuration in force',
      fields: { file: certificates.path('web.yml'), tls: true, users: 0 },
    };
    expect(web.logs('info')).to.deep.equal([inForce, inForce]);
    expect(web.security.status()).to.deep.equal({ ok: true, problem: undefined });
    agent.destroy();
  });

  it("follows the swap of a folder's symbolic link, as Kubernetes updates a secret", async () => {
    for (const [version, name] of [
      ['v1', 'first'],
      ['v2', 'second'],
    ] as const) {
      mkdirSync(certificates.path(version));
      certificates.write(`${version}/tls.crt`, certificates.text(`${name}.pem`));
      certificates.write(`${version}/tls.key`, certificates.text(`${name}.key`));
    }
    symlinkSync('v1', certificates.path('..data'));
    await start('tls_server_config:\n  cert_file: ..data/tls.crt\n  key_file: ..data/tls.key\n');
    expect(await web.get()).to.include({ certificate: 'first' });
    symlinkSync('v2', certificates.path('..new'));
    renameSync(certificates.path('..new'), certificates.path('..data'));
    expect(await web.get()).to.include({ certificate: 'second' });
  });

  it('keeps the last good certificate while the new one is broken, says so once, and recovers', async () => {
    await start(TLS);
    const breaks: readonly (readonly [() => unknown, string])[] = [
      [
        () => certificates.write('server.pem', certificates.text('second.pem')),
        '3: tls_server_config.key_file: is not the key of the certificate',
      ],
      [() => certificates.write('server.pem', 'garbage'), '2: tls_server_config.cert_file: holds no PEM certificate'],
      [() => rmSync(certificates.path('server.pem')), '2: tls_server_config.cert_file: cannot be read: ENOENT'],
    ];
    for (const [breakIt, problem] of breaks) {
      breakIt();
      for (let connection = 0; connection < 3; connection++)
        expect(await web.get()).to.include({ certificate: 'first' });
      expect(web.security.status()).to.deep.equal({ ok: false, problem: `${certificates.path('web.yml')}:${problem}` });
    }
    expect(web.logs('error')).to.have.length(breaks.length);
    serve('second');
    expect(await web.get()).to.include({ certificate: 'second' });
    expect(web.security.status()).to.deep.equal({ ok: true, problem: undefined });
  });

  it('follows the client CA, and no session from before lets a client in', async () => {
    certificates.write('clients.pem', certificates.text('ca.pem'));
    await start(VERIFY.replace('ca.pem', 'clients.pem'));
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      certificates.write('clients.pem', certificates.text('ca.pem'));
      const session = await sessionOf({ ...as('client'), maxVersion });
      expect(await resumed({ ...as('client'), maxVersion, session })).to.equal(true);
      certificates.write('clients.pem', certificates.text('ca2.pem'));
      expect(await status({ ...as('client2'), maxVersion })).to.equal(200);
      expect(await status({ ...as('client'), maxVersion })).to.equal(undefined);
      expect(await resumed({ ...as('client'), maxVersion, session })).to.not.equal(true);
    }
    certificates.write('clients.pem', 'garbage');
    expect(await status(as('client2'))).to.equal(200);
    expect(web.security.status().problem).to.match(/:5: tls_server_config.client_ca_file: holds no PEM certificate$/);
  });

  it('checks a resumed client again', async () => {
    await start(`${VERIFY}  client_allowed_sans: [prometheus.example]\n`);
    const session = await sessionOf(as('client'));
    expect(await resumed({ ...as('client'), session })).to.equal(true);
    expect(await status({ ...as('client'), session })).to.equal(200);
  });

  it('follows the policy for client certificates', async () => {
    await start(TLS);
    expect(await status()).to.equal(200);
    certificates.write('web.yml', VERIFY);
    expect(await status()).to.equal(undefined);
    expect(await status(as('client'))).to.equal(200);
    certificates.write('web.yml', TLS);
    expect(await status()).to.equal(200);
  });

  it('does not wait for a client in the middle of its handshake when all connections are closed', async () => {
    await start(TLS);
    const silent = connectPlain(web.port, '127.0.0.1');
    silent.on('error', () => undefined);
    await once(web.server, 'connection');
    const closed = once(web.server, 'close');
    web.server.close();
    web.server.closeAllConnections();
    await closed;
  });

  it('refuses a key that OpenSSL finds too weak', async () => {
    await start(TLS);
    const args = [
      'req',
      '-x509',
      '-newkey',
      'rsa:512',
      '-nodes',
      '-keyout',
      'weak.key',
      '-out',
      'weak.pem',
      '-subj',
      '/CN=weak',
    ];
    execFileSync('openssl', args, { cwd: certificates.folder, stdio: 'ignore' });
    certificates.write('server.pem', certificates.text('weak.pem'));
    certificates.write('server.key', certificates.text('weak.key'));
    expect(await status()).to.equal(200);
    const tooSmall = /web\.yml:1: tls_server_config: OpenSSL refuses it: .*key too small$/;
    expect(web.security.status().problem).to.match(tooSmall);
    const thrown = await checkWebConfig(certificates.path('web.yml')).catch((error: unknown) => error);
    expect(thrown).to.be.instanceOf(UsageError).with.property('message').that.matches(tooSmall);
  });

  it('stays on until a restart when it is taken out of the file', async () => {
    await start(TLS);
    certificates.write('web.yml', '');
    expect(await status()).to.equal(200);
    expect(web.security.status().problem).to.match(/TLS cannot be switched on or off without a restart$/);
  });

  /** A session that the server has given out. */
  async function sessionOf(options: ConnectionOptions): Promise<Buffer> {
    const socket = connect({ host: '127.0.0.1', port: web.port, rejectUnauthorized: false, ...options });
    socket.end('GET / HTTP/1.0\r\n\r\n').resume();
    let session = Buffer.alloc(0);
    socket.on('session', (given) => (session = given));
    await once(socket, 'close');
    return session;
  }

  /** Whether a request was answered on a resumed session; undefined when the connection failed. */
  async function resumed(options: ConnectionOptions): Promise<boolean | undefined> {
    const socket = connect({ host: '127.0.0.1', port: web.port, rejectUnauthorized: false, ...options });
    socket.end('GET / HTTP/1.0\r\n\r\n');
    let [answer, reused] = ['', false];
    socket.once('secureConnect', () => (reused = socket.isSessionReused()));
    socket.on('data', (chunk) => (answer += String(chunk)));
    await once(socket, 'close').catch(() => undefined);
    return answer === '' ? undefined : reused;
  }
});

describe('the names of a client certificate', () => {
  it('are its DNS names, mail addresses, URIs and addresses in their shortest form', () => {
    expect(
      subjectAltNames(
        'DNS:a.example, email:x@a.example, URI:spiffe://a/b?c=d, IP Address:192.0.2.1, IP Address:0:0:0:0:0:0:0:1, ' +
          'DNS:"b, DNS:\\"evil\\".example", othername:<unsupported>, DirName:"CN=x", DNS:last.example',
      ),
    ).to.deep.equal([
      'a.example',
      'x@a.example',
      'spiffe://a/b?c=d',
      '192.0.2.1',
      '::1',
      'b, DNS:"evil".example',
      'last.example',
    ]);
    expect(subjectAltNames('')).to.deep.equal([]);
  });
});
