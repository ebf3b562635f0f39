import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer as createTlsServer, request as requestTls } from 'node:https';
import type { RequestOptions } from 'node:https';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import bcrypt from 'bcryptjs';
import { expect } from 'chai';
import { createTestCa } from '../unit/rds/test-ca.js';
import type { TestCa } from '../unit/rds/test-ca.js';
import { portOf } from '../unit/rds/wire.js';
import { Scratch, eventually, runExporter, startExporter } from '../helpers/program.js';
import type { RunningExporter } from '../helpers/program.js';

/** Every secret of this file holds this word, whatever else is made of it on the way. */
const MARK = /planted/i;
const TOKEN = 'CAISplanted/token+with==marks';
const HASH = bcrypt.hashSync('planted-password', 4);
const LOGIN = 'scraper:planted-password';

/** How the cloud answers, by the instance that is asked for: each throws back what was sent in another way. */
const CLOUD: Readonly<Record<string, (request: IncomingMessage, response: ServerResponse) => void>> = {
  'rm-signature': (request, response) =>
    refuse(
      response,
      'SignatureDoesNotMatch',
      `Specified signature is not matched with our calculation. server string to sign is:${dump(request)}`,
    ),
  'rm-key': (request, response) =>
    refuse(
      response,
      'InvalidAccessKeyId.NotFound',
      `Specified access key is not found. ${request.headers.authorization}`,
    ),
  'rm-token': (request, response) => {
    const token = String(request.headers['x-acs-security-token']);
    refuse(
      response,
      'InvalidSecurityToken.Malformed',
      `The security token ${token} (${encodeURIComponent(token)}) is malformed. SecurityToken=${token}&x=1`,
    );
  },
  'rm-url': (_, response) =>
    refuse(response, 'InvalidParameter', `GET https://rds.aliyuncs.com/?AccessKeyId=planted-key&Signature=planted-sig`),
  'rm-page': (request, response) => {
    const echo = String(request.headers.authorization);
    response.writeHead(502, { 'content-type': `text/html; was=${echo}`, 'x-acs-request-id': echo }).end(dump(request));
  },
  'rm-redirect': (request, response) =>
    response.writeHead(302, { location: `/?Signature=planted-signature&${dump(request).length}` }).end(),
  'rm-broken': (request, response) => response.end(`{"Code": "${request.headers.authorization}`),
};

/** How STS and whoever else hands out sessions answer, by the name of the role or the path. */
const SESSIONS: Readonly<Record<string, (asked: string, response: ServerResponse) => void>> = {
  good: (_, response) => {
    const session = {
      AccessKeyId: 'STS.planted-session-id',
      AccessKeySecret: 'planted-session-secret',
      SecurityToken: TOKEN,
      Expiration: `${new Date(Date.now() + 3_600_000).toISOString().slice(0, 19)}Z`,
    };
    response.end(JSON.stringify({ Code: 'Success', ...session, Credentials: session }));
  },
  denied: (asked, response) => refuse(response, 'NoPermission', `You are not authorized. ${asked}`),
  text: (asked, response) => response.writeHead(500).end(`the request was ${asked}`),
  page: (asked, response) => response.writeHead(502).end(`<html>${asked}</html>`),
  broken: (_, response) => response.end('{"Credentials": {"AccessKeyId": "STS.planted", "AccessKeySecret": "planted'),
};

function refuse(response: ServerResponse, Code: string, Message: string): void {
  response.writeHead(400, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ Code, Message, RequestId: 'F0CE0400-0000-0000-0000-000000000000' }));
}

function dump(request: IncomingMessage): string {
  const headers = Object.entries(request.headers).map(([name, value]) => `${name}:${String(value)}`);
  return [request.method, request.url, ...headers].join('\n');
}

describe('no secret', function () {
  this.timeout(180_000);
  const scratch = new Scratch();
  const servers: Server[] = [];
  /** Of every request that was signed. */
  const signatures = new Set<string>();
  let ca: TestCa;
  let cloud: string;
  let handedOut: string;
  let sts: string;
  let impostor: string;
  let env: NodeJS.ProcessEnv;

  before(async function () {
    ca = createTestCa(this);
    cloud = await listen(
      createServer((request, response) => {
        const signature = /Signature=(\w+)/.exec(request.headers.authorization ?? '')?.[1];
        if (signature !== undefined) signatures.add(signature);
        const instance = new URL(request.url ?? '', 'http://cloud').searchParams.get('DBInstanceId');
        CLOUD[instance ?? '']?.(request, response);
      }),
    );
    const handOut = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      const asked = `${request.url}&${await text(request)}`;
      const [, role = ''] = /(?:role\/|role%2F|kind=)(\w+)/.exec(asked) ?? [];
      SESSIONS[role]?.(asked, response);
    };
    handedOut = await listen(createServer((request, response) => void handOut(request, response)));
    sts = await listen(createTlsServer(ca.valid, (request, response) => void handOut(request, response)));
    impostor = await listen(createTlsServer(ca.selfSigned, (_, response) => response.end()));
    const proxy = createServer();
    proxy.on('connect', (request: IncomingMessage, socket: Duplex) => {
      const echo = String(request.headers['proxy-authorization']);
      socket.end(`HTTP/1.1 407 ${echo}\r\nproxy-authenticate: ${echo}\r\ncontent-length: 0\r\n\r\n`);
    });
    env = {
      NODE_EXTRA_CA_CERTS: ca.caFile,
      HTTPS_PROXY: `http://planted-user:planted-proxy-password@${await listen(proxy)}`,
      ALIBABA_CLOUD_ACCESS_KEY_ID: 'planted-env-id',
      ALIBABA_CLOUD_ACCESS_KEY_SECRET: 'planted-env-secret',
      KEY_SECRET: 'planted-expanded-secret',
    };
    scratch.file('config.yaml', configuration());
    for (const file of ['key-id', 'key-secret', 'token']) scratch.file(file, `planted-file-${file}\n`);
    scratch.file('server.key', ca.valid.key);
    scratch.file('server.pem', ca.valid.cert);
    scratch.file('web.yaml', webConfiguration());
  });

  after(async () => {
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    }
    ca?.remove();
    scratch.remove();
  });

  async function listen(server: Server): Promise<string> {
    servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return `127.0.0.1:${portOf(server)}`;
  }

  /** Every kind of credentials, each asking for an instance of its own account, so that no failure holds back another. */
  function accounts(): readonly (readonly [name: string, credentials: string, endpoint: string, instance: string])[] {
    const given = {
      key: '{type: access_key, access_key_id: planted-key-id, access_key_secret: "${KEY_SECRET}"}',
      file: '{type: access_key, access_key_id_file: key-id, access_key_secret_file: key-secret}',
      sts: `{type: sts, access_key_id: planted-id, access_key_secret: planted-secret, security_token: "${TOKEN}"}`,
      session: `{type: credentials_uri, uri: "http://${handedOut}/?kind=good&token=planted"}`,
      default: '{type: default}',
    };
    const api = `http://${cloud}`;
    const answered = Object.entries(given).flatMap(([kind, credentials]) =>
      Object.keys(CLOUD).map((instance) => [`${kind}-${instance}`, credentials, api, instance] as const),
    );
    const refused = Object.keys(SESSIONS).flatMap((role) => {
      const source = 'source: {type: access_key, access_key_id: planted-source, access_key_secret: planted-secret}';
      const oidc = 'oidc_provider_arn: "acs:ram::1:oidc-provider/p", oidc_token_file: token';
      const asks = `role_arn: "acs:ram::1:role/${role}", sts_endpoint: "${sts}"`;
      return [
        [`role-${role}`, `{type: ram_role_arn, ${asks}, external_id: planted-external, ${source}}`, api, 'rm-token'],
        [`oidc-${role}`, `{type: oidc_role_arn, ${asks}, ${oidc}}`, api, 'rm-token'],
        [
          `uri-${role}`,
          `{type: credentials_uri, uri: "http://${handedOut}/?kind=${role}&token=planted"}`,
          api,
          'rm-key',
        ],
      ] as const;
    });
    return [
      ...answered,
      ...refused,
      ['unreachable-uri', '{type: credentials_uri, uri: "http://planted:planted@127.0.0.1:9/?a=planted"}', api, 'rm-1'],
      ['unreachable', given.sts, 'https://127.0.0.1:9', 'rm-1'],
      ['impostor', given.sts, `https://${impostor}`, 'rm-1'],
      ['proxied', given.sts, '', 'rm-1'],
    ];
  }

  function configuration(): string {
    const blocks = accounts().map(([name, credentials, endpoint, instance]) => {
      const region = endpoint === '' ? 'cn-hangzhou' : `{id: cn-hangzhou, endpoint: "${endpoint}"}`;
      const instances = `[{id: ${instance}, region: cn-hangzhou}]`;
      return `  - {name: ${name}, credentials: ${credentials}, regions: [${region}], instances: ${instances}}\n`;
    });
    return `accounts:\n${blocks.join('')}polling: {timeout: 3s, max_attempts: 1}\n`;
  }

  function webConfiguration(): string {
    return `tls_server_config: {cert_file: server.pem, key_file: server.key}\nbasic_auth_users: {scraper: "${HASH}"}\n`;
  }

  function expectNone(where: string, shown: string): void {
    const lines = shown.split('\n').filter((line) => MARK.test(line));
    expect(lines, where).to.deep.equal([]);
    const others = [...signatures, HASH, Buffer.from(LOGIN).toString('base64').slice(0, 30), 'PRIVATE KEY', TOKEN];
    expect(
      others.filter((secret) => shown.includes(secret)),
      where,
    ).to.deep.equal([]);
  }

  async function ask(url: string, options: RequestOptions = {}): Promise<string> {
    const sent = requestTls(url.replace('http:', 'https:'), {
      ca: ca.valid.cert,
      rejectUnauthorized: false,
      auth: LOGIN,
      ...options,
    });
    sent.end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    return `${response.statusCode} ${JSON.stringify(response.headers)}\n${await text(response)}`;
  }

  const PAGES = [
    '/config',
    '/api/v1/status?limit=1000',
    '/?limit=1000',
    '/metrics',
    '/-/ready',
    ...Object.keys(CLOUD).map((instance) => `/api/v1/status?q=${instance}`),
  ];

  for (const format of ['logfmt', 'json'] as const) {
    it(`is shown by a daemon that fails in every way and logs everything as ${format}`, async () => {
      const exporter: RunningExporter = await startExporter(
        [
          `--config.file=${scratch.path}/config.yaml`,
          `--web.config.file=${scratch.path}/web.yaml`,
          '--web.enable-lifecycle',
          '--log.level=debug',
          `--log.format=${format}`,
        ],
        env,
      );
      const { program, url } = exporter;
      const seen: string[] = [];
      try {
        await eventually('every account to have tried', async () =>
          (await ask(`${url}/-/ready`)).startsWith('200') ? true : undefined,
        );
        for (const path of PAGES) seen.push(await ask(url + path));
        seen.push(await ask(`${url}/metrics`, { headers: { accept: 'application/openmetrics-text' } }));
        // What a client sends, wanted or not.
        for (const auth of ['scraper:planted-guess', 'planted-user:planted']) {
          seen.push(await ask(`${url}/planted?token=planted`, { auth }));
        }
        const bearer = { authorization: 'Bearer planted', cookie: 'planted=planted' };
        seen.push(await ask(`${url}/nowhere`, { auth: null, headers: bearer }));
        // Secrets where they do not belong, in a file that is refused.
        const bad = configuration().replace('access_key_id: planted-key-id', 'access_key_id_file: planted-key-id');
        writeFileSync(`${scratch.path}/config.yaml`, `${bad}surplus: {secret: planted}\n`);
        const refusal = await ask(`${url}/-/reload`, { method: 'POST' });
        expect(refusal).to.match(/^500 .*\nThe old configuration stays/);
        seen.push(refusal);
        for (const broken of [`basic_auth_users: {scraper: planted-password}\n`, `planted: "planted\n`]) {
          scratch.file('web.yaml', broken);
          seen.push(await ask(`${url}/metrics`));
        }
        scratch.file('web.yaml', webConfiguration().replace('server.pem', 'server.key'));
        seen.push(await ask(`${url}/config`));
      } finally {
        scratch.file('config.yaml', configuration());
        scratch.file('web.yaml', webConfiguration());
        await program.stop();
      }
      // Each of them did fail, and the log tells it.
      const told = program.stderr;
      for (const [name] of accounts()) expect(told).to.match(new RegExp(`account[":=]+${name}\\b.*(code|problem)`));
      for (const code of ['SignatureDoesNotMatch', 'InvalidAccessKeyId.NotFound', 'ConnectionError']) {
        expect(told).to.contain(code);
      }
      expect(signatures.size).to.be.greaterThan(0);
      expectNone('the log', told + program.stdout);
      for (const page of seen) expectNone('an answer', page);
    });
  }

  for (const [what, flags] of [
    ['one sweep', ['--once', '--log.level=debug']],
    ['the check of permissions', ['--config.check', '--config.check-permissions', '--log.level=debug']],
  ] as const) {
    it(`is shown by ${what} that fails in every way`, async () => {
      const { code, stdout, stderr } = await runExporter([`--config.file=${scratch.path}/config.yaml`, ...flags], env);
      expect(code).to.equal(1);
      expect(stdout).to.contain('key-rm-signature').and.to.contain('proxied');
      expectNone(what, stdout + stderr);
    });
  }

  it('is shown by the problems of a file that has them in the wrong places', async () => {
    const key = 'access_key_id: planted-id, access_key_secret: planted-secret';
    const slips = [
      'credentials: planted-secret',
      `credentials: {${key}}`,
      `credentials: {type: access_key, ${key}, security_token: planted-token}`,
      `credentials: {type: access_key, ${key.replaceAll(': ', ':')}}`,
      'credentials: {type: access_key, access_key_id_file: planted-id, access_key_secret_file: planted}',
      'credentials: {type: sts, access_key_id: [planted], access_key_secret: {planted: 1}}',
      'credentials: {type: access_key, access_key_id: "planted id", access_key_secret: "planted\\n"}',
      'credentials: {type: credentials_uri, uri: "planted.example/?token=planted"}',
      'credentials: {type: ram_role_arn, external_id: {planted: planted}, source: planted}',
      'stuck_after: "${ALIBABA_CLOUD_ACCESS_KEY_SECRET}"',
      key.replace(', ', '\n    '),
      'regions: [{id: cn-hangzhou, endpoint: "https://u:planted@rds.aliyuncs.com"}]',
    ].map((slip, index) => `  - name: a${index}\n    regions: [cn-hangzhou]\n    ${slip}\n`);
    const files = [
      [
        `accounts:\n${slips.join('')}polling: {timeout: "\${KEY_SECRET}"}\nsecret: planted\n`,
        'basic_auth_users: planted-password',
      ],
      [
        `accounts:\n  - credentials: {${key}`,
        `basic_auth_users: {scraper: planted-password}\ntls_server_config: {cert: "planted", key: "planted"}`,
      ],
      [
        `accounts:\n  - credentials: {type: access_key, access_key_secret: "planted`,
        `tls_server_config: {cert: ${JSON.stringify(ca.valid.key)}, key_file: server.key}`,
      ],
      [
        `accounts: {planted-secret`,
        `tls_server_config: {cert_file: server.pem, key: ${JSON.stringify(ca.selfSigned.key)}}`,
      ],
      ['planted-secret', 'tls_server_config: {cert_file: server.key, key_file: server.pem}'],
    ] as const;
    for (const [config, web] of files) {
      const { code, stdout, stderr } = await runExporter(
        [
          '--config.check',
          `--config.file=${scratch.file('slip.yaml', config)}`,
          `--web.config.file=${scratch.file('slip-web.yaml', web)}`,
        ],
        env,
      );
      expect([code, stdout]).to.deep.equal([2, '']);
      expect(stderr).to.contain('slip.yaml:').and.to.contain('slip-web.yaml:');
      expectNone(config, stderr);
    }
  });
});
