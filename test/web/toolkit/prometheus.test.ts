import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect } from 'chai';
import { needTool } from '../../helpers/tools.js';
import { Certificates } from './certificates.js';
import { WebServer } from './web-server.js';

/** Of "open sesame", at cost 4. */
const SESAME = '$2y$04$fJ6Eoc2MM.eARKknKSIHZu1I/8Lk4RmFyZgczeQLiN4UGeKOlqJX6';

describe('a real Prometheus', function () {
  this.timeout(60_000);
  const certificates = new Certificates();
  let web: WebServer;
  let prometheus: ChildProcess | undefined;

  afterEach(async () => {
    if (prometheus?.exitCode === null) {
      prometheus.kill();
      await once(prometheus, 'exit');
    }
    await web?.stop();
    certificates.remove();
  });

  it('scrapes over mutual TLS with a password while the certificate is replaced, and never fails', async function () {
    const command = needTool(this, 'prometheus', 'prometheus');
    certificates.selfSigned('ca');
    certificates.signed('client', 'ca', ['extendedKeyUsage=clientAuth']);
    for (const name of ['first', 'second', 'third']) certificates.signed(name, 'ca', ['subjectAltName=IP:127.0.0.1']);
    certificates.write('server.pem', certificates.text('first.pem'));
    certificates.write('server.key', certificates.text('first.key'));
    web = await WebServer.start(
      certificates,
      'tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n  client_ca_file: ca.pem\n' +
        `  client_auth_type: RequireAndVerifyClientCert\nbasic_auth_users:\n  prometheus: ${SESAME}\n`,
      'bcrypt',
    );
    const client = {
      cert: certificates.text('client.pem'),
      key: certificates.text('client.key'),
      auth: 'prometheus:open sesame',
    };
    // The first login starts a thread, which on a busy machine can take longer than these short scrapes may.
    expect(await web.get('/', client)).to.include({ status: 200, certificate: 'first' });
    // Some scrapes shake hands anew, others go on over a connection from before a change.
    web.server.maxRequestsPerSocket = 2;
    const port = await freePort();
    prometheus = spawn(command, flags(web.port, port), { stdio: 'ignore' });

    await scrapes(2);
    for (const name of ['second', 'third']) {
      // The pair does not match in between, as when two files are copied one after the other.
      certificates.write('server.pem', certificates.text(`${name}.pem`));
      await scrapes(2);
      certificates.write('server.key', certificates.text(`${name}.key`));
      await scrapes(2);
    }

    expect(await value(port, 'sum_over_time(up[10m]) / count_over_time(up[10m])')).to.equal('1');
    expect(Number(await value(port, 'count_over_time(up[10m])'))).to.be.at.least(9);
    expect(web.logs('debug')).to.deep.equal([]);
    expect(await web.get('/', client)).to.include({ status: 200, certificate: 'third' });
  });

  /** Until so many more are served. */
  async function scrapes(count: number): Promise<void> {
    for (let seen = 0; seen < count; seen++) await once(web.server, 'request');
  }

  function flags(target: number, port: number): string[] {
    const config = certificates.write(
      'prometheus.yml',
      JSON.stringify({
        global: { scrape_interval: '700ms', scrape_timeout: '700ms' },
        scrape_configs: [
          {
            job_name: 'exporter',
            scheme: 'https',
            static_configs: [{ targets: [`127.0.0.1:${target}`] }],
            basic_auth: { username: 'prometheus', password: 'open sesame' },
            tls_config: { ca_file: 'ca.pem', cert_file: 'client.pem', key_file: 'client.key' },
          },
        ],
      }),
    );
    return [
      `--config.file=${config}`,
      `--storage.tsdb.path=${certificates.path('tsdb')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ];
  }
});

/** The first sample that a query gives, as Prometheus writes it. */
async function value(port: number, query: string): Promise<string | undefined> {
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(query)}`);
  return /"value":\[[\d.]+,"([^"]+)"\]/.exec(await answer.text())?.[1];
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}
