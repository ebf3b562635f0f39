import { inspect } from 'node:util';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { effectiveYaml } from '../../../dist/config/effective.js';
import { loadConfig } from '../../../dist/config/load.js';
import { ACCOUNT, load } from './reading.js';

const FULL = fileURLToPath(new URL('../../../test/fixtures/config/full.yaml', import.meta.url));
const ENV = { KEY: 'key-1', TIMEOUT: '3s', POD_NAME: 'exporter-3' };

describe('the effective configuration', () => {
  it('has every default filled in', () => {
    expect(effectiveYaml(load(ACCOUNT).config)).to.equal(`accounts:
  - name: a
    credentials:
      type: default
    regions:
      - id: cn-hangzhou
        network: public
        rate_limit:
          requests_per_second: 5
          burst: 5
    instances: []
    discovery:
      enabled: true
      refresh_interval: 10m
      engines: []
      tags: {}
      tag_labels: []
    stuck_after: 30m
polling:
  idle_interval: 5m
  active_interval: 30s
  timeout: 10s
  max_attempts: 4
  concurrency: 16
  rate_limit:
    requests_per_second: 5
    burst: 5
  stale_after: 15m
  stuck_after: 30m
sharding:
  index: 0
  count: 1
`);
  });

  it('shows each override where it is in force, and secrets as <secret>', () => {
    const lines = effectiveYaml(loadConfig(FULL, { env: ENV }).config);
    expect(lines.slice(0, lines.indexOf('    instances:'))).to.equal(`accounts:
  - name: production
    credentials:
      type: ram_role_arn
      role_arn: acs:ram::1234567890123456:role/reader
      role_session_name: exporter@1
      duration: 2h
      sts_endpoint: sts.example:8443
      external_id: <secret>
      source:
        type: sts
        access_key_id: <secret>
        access_key_secret: <secret>
        security_token: <secret>
    regions:
      - id: cn-hangzhou
        network: public
        rate_limit:
          requests_per_second: 0.5
          burst: 8
      - id: eu-central-1
        network: vpc
        endpoint: http://127.0.0.1:8080
        rate_limit:
          requests_per_second: 20
          burst: 8
`);
  });

  it('loads again as what it shows', () => {
    const shown = effectiveYaml(loadConfig(FULL, { env: ENV }).config);
    const again = load(shown);
    expect(effectiveYaml(again.config)).to.equal(shown);
    expect(again.config.accounts[0]?.discovery?.exclude?.source).to.equal('staging|a${b}');
  });

  it('shows every type of credentials without its secrets, and so does anything that prints them', () => {
    const types = [
      '{type: access_key, access_key_id: PLANTED1, access_key_secret: PLANTED2}',
      '{type: sts, access_key_id: PLANTED1, access_key_secret: PLANTED2, security_token: PLANTED3}',
      `{type: oidc_role_arn, role_arn: 'acs:ram::1:role/a', oidc_provider_arn: 'acs:ram::1:oidc-provider/b', oidc_token_file: ${FULL}}`,
      '{type: ecs_ram_role, role_name: reader}',
      "{type: credentials_uri, uri: 'http://127.0.0.1/?token=PLANTED4'}",
    ];
    const shown = types.map((credentials) => load(`${ACCOUNT}    credentials: ${credentials}\n`).config);
    for (const config of shown) {
      for (const text of [
        effectiveYaml(config),
        JSON.stringify(config),
        inspect(config, { depth: 20, showHidden: true }),
      ]) {
        expect(text).not.to.contain('PLANTED');
      }
    }
    const blocks = shown.map((config) => /credentials:\n((?: {6}.*\n)*)/.exec(effectiveYaml(config))?.[1]);
    expect(blocks.map((block) => block?.replaceAll(/^ {6}/gm, ''))).to.deep.equal([
      'type: access_key\naccess_key_id: <secret>\naccess_key_secret: <secret>\n',
      'type: sts\naccess_key_id: <secret>\naccess_key_secret: <secret>\nsecurity_token: <secret>\n',
      `type: oidc_role_arn\nrole_arn: acs:ram::1:role/a\noidc_provider_arn: acs:ram::1:oidc-provider/b\noidc_token_file: ${FULL}\n`,
      'type: ecs_ram_role\nrole_name: reader\n',
      'type: credentials_uri\nuri: <secret>\n',
    ]);
  });
});
