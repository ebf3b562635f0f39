import type { CredentialsSpec } from '../../../dist/domain/credentials.js';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { loadConfig } from '../../../dist/config/load.js';
import { effectiveYaml } from '../../../dist/config/effective.js';
import type { AccountConfig } from '../../../dist/config/config.js';
import { Secret } from '../../../dist/secret.js';
import { ACCOUNT, load, problemsOf } from './reading.js';

const FIXTURES = fileURLToPath(new URL('../../../test/fixtures/config/', import.meta.url));
const FULL = join(FIXTURES, 'full.yaml');
const ENV = { KEY: 'key-1', TIMEOUT: '3s', POD_NAME: 'exporter-3' };

function account(text: string): AccountConfig {
  return load(`${ACCOUNT}${text}`).config.accounts[0]!;
}

describe('a configuration', () => {
  it('needs one account with one region', () => {
    expect(load(ACCOUNT)).to.deep.equal({
      config: {
        accounts: [
          {
            name: 'a',
            credentials: { type: 'default' },
            regions: [
              {
                id: 'cn-hangzhou',
                network: 'public',
                endpoint: undefined,
                rateLimit: { requestsPerSecond: 5, burst: 5 },
              },
            ],
            instances: [],
            discovery: {
              refreshIntervalMs: 600_000,
              engines: [],
              tags: {},
              resourceGroupId: undefined,
              include: undefined,
              exclude: undefined,
              tagLabels: [],
            },
            stuckAfterMs: 1_800_000,
          },
        ],
        polling: {
          idleIntervalMs: 300_000,
          activeIntervalMs: 30_000,
          timeoutMs: 10_000,
          maxAttempts: 4,
          concurrency: 16,
          rateLimit: { requestsPerSecond: 5, burst: 5 },
          staleAfterMs: 900_000,
          stuckAfterMs: 1_800_000,
        },
        sharding: { index: 0, count: 1 },
        state: undefined,
      },
      warnings: [],
    });
  });

  it('serves values for 15 minutes or three polls of an idle instance, whichever is longer, unless told otherwise', () => {
    const polling: [string, string][] = [
      ['{}', '15m'],
      ['{idle_interval: 1m}', '15m'],
      ['{idle_interval: 301s}', '15m3s'],
      ['{idle_interval: 1h}', '3h'],
      ['{idle_interval: 24d}', '72d'],
      ['{idle_interval: 1h, stale_after: 1h}', '1h'],
      ['{idle_interval: 1s, stale_after: 2s}', '2s'],
    ];
    for (const [block, staleAfter] of polling) {
      const shown = effectiveYaml(load(`${ACCOUNT}polling: ${block}\n`).config);
      expect([block, /stale_after: (.*)/.exec(shown)?.[1]]).to.deep.equal([block, staleAfter]);
      expect(effectiveYaml(load(shown).config)).to.equal(shown);
    }
  });

  it('is read with every key, overrides resolved level by level', () => {
    const { config, warnings } = loadConfig(FULL, { env: ENV });
    const { credentials, ...first } = config.accounts[0]!;
    expect(first).to.deep.equal({
      name: 'production',
      regions: [
        { id: 'cn-hangzhou', network: 'public', endpoint: undefined, rateLimit: { requestsPerSecond: 0.5, burst: 8 } },
        {
          id: 'eu-central-1',
          network: 'vpc',
          endpoint: 'http://127.0.0.1:8080',
          rateLimit: { requestsPerSecond: 20, burst: 8 },
        },
      ],
      instances: [
        {
          id: 'rm-1',
          region: 'cn-hangzhou',
          labels: { team: 'billing', no: '007', note: '' },
          stuckAfterMs: 7_200_000,
        },
        { id: 'rm-1', region: 'eu-central-1', labels: {}, stuckAfterMs: 3_600_000 },
      ],
      discovery: {
        refreshIntervalMs: 60_000,
        engines: ['MySQL', 'SQLServer', 'PostgreSQL', 'MariaDB'],
        tags: { env: 'prod', release: '1.10', flag: 'true', empty: '' },
        resourceGroupId: 'rg-1',
        include: /^(rm|pgm)-.*$/,
        exclude: /staging|a${b}/,
        tagLabels: [
          { tag: 'env', label: 'tag_env' },
          { tag: 'app.kubernetes.io/name', label: 'tag_app_kubernetes_io_name' },
          { tag: '团队', label: 'tag___' },
        ],
      },
      stuckAfterMs: 3_600_000,
    });
    expect(revealed(credentials)).to.deep.equal({
      type: 'ram_role_arn',
      roleArn: 'acs:ram::1234567890123456:role/reader',
      roleSessionName: 'exporter@1',
      durationMs: 7_200_000,
      stsEndpoint: 'sts.example:8443',
      externalId: 'external-1',
      source: { type: 'sts', accessKeyId: 'id-1', accessKeySecret: 'key-1', securityToken: 'token-1' },
    });
    expect(config.accounts[1]).to.deep.include({
      name: 'second, 二',
      credentials: { type: 'ecs_ram_role', roleName: undefined },
      discovery: undefined,
      stuckAfterMs: 31_536_000_000,
    });
    expect(config.polling).to.deep.equal({
      idleIntervalMs: 60_000,
      activeIntervalMs: 1_500,
      timeoutMs: 3_000,
      maxAttempts: 2,
      concurrency: 32,
      rateLimit: { requestsPerSecond: 0.5, burst: 2 },
      staleAfterMs: 60_000,
      stuckAfterMs: 31_536_000_000,
    });
    expect(config.sharding).to.deep.equal({ index: 3, count: 4 });
    expect(config.state).to.deep.equal({ path: join(FIXTURES, 'state') });
    expect(warnings).to.deep.equal([
      `${FULL}:36: accounts[1].name: "second, 二": lists no instances and discovery is off: nothing of this account is polled`,
    ]);
  });

  it('cannot be changed', () => {
    const { config } = loadConfig(FULL, { env: ENV });
    const parts = [
      config,
      config.accounts,
      config.accounts[0]!.regions[0]!.rateLimit,
      config.accounts[0]!.discovery?.tags,
    ];
    expect(parts.map((part) => Object.isFrozen(part))).to.deep.equal([true, true, true, true]);
  });

  it('has discovery on when instances are left out, and off when they stand alone', () => {
    const one = '    instances: [{id: rm-1, region: cn-hangzhou}]\n';
    expect(account('').discovery).to.be.an('object');
    expect(account(one).discovery).to.equal(undefined);
    expect(account(`${one}    discovery:\n`).discovery).to.be.an('object');
    expect(account(`${one}    discovery: {enabled: false}\n`).discovery).to.equal(undefined);
    expect(account('    discovery: {enabled: false}\n').discovery).to.equal(undefined);
  });

  it('takes an endpoint by https to any host, and by http to loopback', () => {
    const endpoints = [
      'https://rds.example:8443',
      'http://localhost:1',
      'http://127.9.9.9',
      'http://[::1]:80',
      'HTTPS://RDS.Example/',
    ];
    const read = endpoints.map((url) => load(`accounts: [{name: a, regions: [{id: x, endpoint: '${url}'}]}]`).config);
    expect(read.map(({ accounts }) => accounts[0]?.regions[0]?.endpoint)).to.deep.equal([
      'https://rds.example:8443',
      'http://localhost:1',
      'http://127.9.9.9',
      'http://[::1]',
      'https://rds.example',
    ]);
  });

  it('may use anchors and merges, own keys first', () => {
    const { config } = load(
      [
        'accounts:',
        '  - &base',
        '    name: a',
        '    regions: &regions [x, y]',
        '    stuck_after: 1h',
        '  - {<<: *base, name: b}',
        '  - {<<: [{stuck_after: 2h}, *base], name: c, regions: *regions}',
      ].join('\n'),
    );
    const read = config.accounts.map(({ name, regions, stuckAfterMs }) => [name, regions.length, stuckAfterMs]);
    expect(read).to.deep.equal([
      ['a', 2, 3_600_000],
      ['b', 2, 3_600_000],
      ['c', 2, 7_200_000],
    ]);
  });

  it('takes the shard from the number that ends POD_NAME', () => {
    const text = `${ACCOUNT}sharding: {index: auto, count: 12}\n`;
    expect(load(text, { POD_NAME: 'exporter-2-11' }).config.sharding).to.deep.equal({ index: 11, count: 12 });
    expect(
      load(`${ACCOUNT}sharding: {index: '\${SHARD}', count: 12}\n`, { SHARD: '3' }).config.sharding.index,
    ).to.equal(3);
    expect(problemsOf(text, { POD_NAME: 'exporter-12' })).to.deep.equal([
      'c.yaml:4: sharding.index: "auto": the index 12, by POD_NAME, must be below count (12); indexes begin at 0',
    ]);
    expect(problemsOf(text, { POD_NAME: 'exporter-5f7c' })).to.deep.equal([
      'c.yaml:4: sharding.index: "auto": POD_NAME is "exporter-5f7c", which does not end in a number; give the index as a number',
    ]);
  });
});

describe('problems', () => {
  it('are told in one go, in the order of the file', () => {
    const text = 'accounts:\n  - name: a\n    regions: [X]\npolling:\n  concurrency: 0\n  timeout: soon\ncolour: red\n';
    expect(problemsOf(text).map((line) => line.split(': ', 2).join(': '))).to.deep.equal([
      'c.yaml:3: accounts[0].regions[0]',
      'c.yaml:5: polling.concurrency',
      'c.yaml:6: polling.timeout',
      'c.yaml:7: colour',
    ]);
  });

  it('are told up to a hundred', () => {
    const lines = problemsOf(`accounts:\n${'  - x\n'.repeat(200)}`);
    expect(lines).to.have.length(101);
    expect(lines[100]).to.equal('c.yaml: and 500 more problems');
  });

  it('show a value cut and on one line, whatever it holds', () => {
    expect(problemsOf(`${ACCOUNT}polling: {timeout: "a\\n\\u202e\\e${'x'.repeat(200)}"}\n`)).to.deep.equal([
      `c.yaml:4: polling.timeout: "a\\n\\u202e\\u001b${'x'.repeat(76)}…": must be a duration from 1ms to 24d, such as 500ms, 30s, 5m, 1h30m or 1d`,
    ]);
  });
});

describe('a configuration file', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'config-'));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  const refusal = (path: string): readonly string[] => problemsOf(() => loadConfig(path, { env: {} }));
  const unreadable = (path: string, reason: string): string =>
    `${path}: cannot read the configuration: ${reason}; name the file with --config.file`;

  it('is refused when it is absent, a directory, no regular file, too large or no text', () => {
    const path = join(directory, 'config.yaml');
    expect(refusal(path)).to.deep.equal([unreadable(path, 'no such file')]);
    expect(refusal(directory)).to.deep.equal([unreadable(directory, 'it is a directory')]);
    expect(refusal('/dev/zero')).to.deep.equal([unreadable('/dev/zero', 'it is not a regular file')]);
    writeFileSync(path, ACCOUNT + '#'.repeat(2 * 1024 * 1024));
    expect(refusal(path)).to.deep.equal([unreadable(path, 'it is larger than 2048 KiB')]);
    writeFileSync(path, Buffer.from([0xff, 0xfe, 0x00]));
    expect(refusal(path)).to.deep.equal([unreadable(path, 'it is not UTF-8 text')]);
    symlinkSync('circle', join(directory, 'circle'));
    expect(refusal(join(directory, 'circle'))).to.deep.equal([
      unreadable(join(directory, 'circle'), 'a circle of symbolic links'),
    ]);
  });

  it('may begin with a byte order mark and end its lines with CRLF', () => {
    const path = join(directory, 'config.yaml');
    writeFileSync(path, `\ufeff${ACCOUNT.replaceAll('\n', '\r\n')}`);
    expect(loadConfig(path, { env: {} }).config.accounts).to.have.length(1);
  });

  it('names secrets in files beside it, which are followed when they change', () => {
    const path = join(directory, 'config.yaml');
    writeFileSync(path, `${ACCOUNT}    credentials: {type: credentials_uri, uri_file: uri.txt}\n`);
    writeFileSync(join(directory, 'uri.txt'), '');
    expect(refusal(path)).to.deep.equal([
      `${path}:4: accounts[0].credentials.uri_file: what the file holds must be text, not empty and without spaces or control characters`,
    ]);
    writeFileSync(join(directory, 'uri.txt'), 'http://one/\n');
    const credentials = loadConfig(path, { env: {} }).config.accounts[0]!.credentials;
    expect(revealed(credentials)).to.deep.equal({ type: 'credentials_uri', uri: 'http://one/' });
    writeFileSync(join(directory, 'uri.txt'), 'http://second/\n');
    expect(revealed(credentials)).to.deep.equal({ type: 'credentials_uri', uri: 'http://second/' });
  });

  it('shows tags as labels in snake case', () => {
    const tags = 'env, costCenter, CostCenter2, HTTPServer, MySQL8Version, "a-B c", X, __proto__, "团队A"';
    const { config } = load(`${ACCOUNT}    discovery: {tag_labels: [${tags}]}\n`);
    expect(config.accounts[0]?.discovery?.tagLabels.map(({ label }) => label)).to.deep.equal([
      'tag_env',
      'tag_cost_center',
      'tag_cost_center2',
      'tag_http_server',
      'tag_my_sql8_version',
      'tag_a_b_c',
      'tag_x',
      'tag___proto__',
      'tag___a',
    ]);
  });
});

/** Credentials with their secrets as text. */
function revealed(credentials: CredentialsSpec): unknown {
  return Object.fromEntries(
    Object.entries(credentials).map(([name, value]) => {
      if (value instanceof Secret) return [name, value.reveal()];
      return [name, typeof value === 'object' ? revealed(value) : value];
    }),
  );
}
