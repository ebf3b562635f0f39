import { once } from 'node:events';
import { expect } from 'chai';
import { Prometheus } from '../helpers/prometheus.js';
import { needTool } from '../helpers/tools.js';
import { describeOnEachRelease } from '../helpers/release.js';
import { Certificates } from '../unit/http/web-config/certificates.js';
import { WebServer } from '../unit/http/web-config/web-server.js';

/** Of "open sesame", at cost 4. */
const SESAME = '$2y$04$fJ6Eoc2MM.eARKknKSIHZu1I/8Lk4RmFyZgczeQLiN4UGeKOlqJX6';

describeOnEachRelease('a real Prometheus before the web configuration', function (release) {
  this.timeout(180_000);
  const certificates = new Certificates();
  let web: WebServer | undefined;
  let prometheus: Prometheus | undefined;

  afterEach(async () => {
    await prometheus?.stop();
    await web?.stop();
    certificates.remove();
  });

  function serve(name: string, extension: 'pem' | 'key'): void {
    certificates.write(`server.${extension}`, certificates.text(`${name}.${extension}`));
  }

  it('scrapes over mutual TLS with a password while the certificate is replaced, and never fails', async function () {
    needTool(this, 'openssl', 'openssl');
    certificates.selfSigned('ca');
    certificates.signed('client', 'ca', ['extendedKeyUsage=clientAuth']);
    for (const name of ['first', 'second', 'third']) certificates.signed(name, 'ca', ['subjectAltName=IP:127.0.0.1']);
    for (const extension of ['pem', 'key'] as const) serve('first', extension);
    web = await WebServer.start(
      certificates,
      'tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n  client_ca_file: ca.pem\n' +
        `  client_auth_type: RequireAndVerifyClientCert\nbasic_auth_users:\n  prometheus: ${SESAME}\n`,
      'bcrypt',
    );
    const { server } = web;
    const client = {
      cert: certificates.text('client.pem'),
      key: certificates.text('client.key'),
      auth: 'prometheus:open sesame',
    };
    // The first login starts a thread, which on a busy machine can take longer than these short scrapes may.
    expect(await web.get('/', client)).to.include({ status: 200, certificate: 'first' });
    // Some scrapes shake hands anew, others go on over a connection from before a change.
    server.maxRequestsPerSocket = 2;
    const tls = { ca: 'ca.pem', cert: 'client.pem', key: 'client.key' };
    const files = Object.entries(tls).map(([key, name]) => `${key}_file: ${certificates.path(name)}`);
    prometheus = await Prometheus.start(this, release, {
      target: `127.0.0.1:${web.port}`,
      interval: '700ms',
      scrape:
        `    scheme: https\n    tls_config: {${files.join(', ')}}\n` +
        '    basic_auth: {username: prometheus, password: open sesame}',
    });
    const scrapes = async (count: number): Promise<void> => {
      for (let seen = 0; seen < count; seen++) await once(server, 'request');
    };

    await scrapes(2);
    for (const name of ['second', 'third']) {
      // The pair does not match in between, as when two files are copied one after the other.
      serve(name, 'pem');
      await scrapes(2);
      serve(name, 'key');
      await scrapes(2);
    }

    await prometheus.becomes('count_over_time(up[10m]) >= bool 9', 1);
    await prometheus.becomes('sum_over_time(up[10m]) / count_over_time(up[10m])', 1);
    expect(web.logs('debug')).to.deep.equal([]);
    expect(await web.get('/', client)).to.include({ status: 200, certificate: 'third' });
  });
});
