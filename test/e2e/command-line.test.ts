import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { systemClock } from '../../dist/clock.js';
import { startSimulator } from '../../dist/simulator/server.js';
import type { Simulator } from '../../dist/simulator/server.js';
import { Scratch, eventually, runExporter, startExporter } from '../helpers/program.js';

const CREDENTIALS = '{type: access_key, access_key_id: planted-key-id, access_key_secret: planted-key-secret}';
const ACCOUNT = `accounts:
  - name: a
    credentials: ${CREDENTIALS}
    regions: [cn-hangzhou]
    instances: [{id: rm-1, region: cn-hangzhou}]
`;

/** A configuration text, and the one line that must be said of it. */
const BAD_CONFIGS: readonly (readonly [what: string, text: string, problem: string])[] = [
  ['a syntax error', 'accounts: [', 'FILE:1: YAML syntax: the indentation does not fit the lines above'],
  [
    'a tab for indentation',
    'accounts:\n\t- name: a\n',
    'FILE:2: YAML syntax: a tab indents this line; YAML allows spaces only',
  ],
  ['an unknown key', `${ACCOUNT}pollling: {}\n`, 'FILE:6: pollling: unknown key; did you mean polling?'],
  [
    'a duplicate key',
    `${ACCOUNT}polling: {}\npolling: {}\n`,
    'FILE:7: polling: a mapping: duplicate key; it was given in line 6 already',
  ],
  [
    'a duplicate account',
    `${ACCOUNT}${ACCOUNT.split('\n').slice(1).join('\n')}`,
    'FILE:6: accounts[1].name: "a": duplicate account; it was given in line 2 already',
  ],
  [
    'an instance in a region that the account does not list',
    ACCOUNT.replace('region: cn-hangzhou}', 'region: cn-beijing}'),
    'FILE:5: accounts[0].instances[0].region: "cn-beijing": the account does not list this region; add it to the regions of the account',
  ],
  [
    'an empty secret',
    ACCOUNT.replace('planted-key-secret', '""'),
    'FILE:3: accounts[0].credentials.access_key_secret: must be text, not empty and without spaces or control characters',
  ],
  [
    'an unset name',
    ACCOUNT.replace('planted-key-secret', '"${NOT_SET}"'),
    'FILE:3: accounts[0].credentials.access_key_secret: environment variable NOT_SET is not set; set it or write ${NOT_SET:-default}',
  ],
  [
    'a bad duration',
    `${ACCOUNT}polling: {timeout: 10 seconds}\n`,
    'FILE:6: polling.timeout: "10 seconds": must be a duration from 1ms to 24d, such as 500ms, 30s, 5m, 1h30m or 1d',
  ],
  [
    'no concurrency',
    `${ACCOUNT}polling: {concurrency: 0}\n`,
    'FILE:6: polling.concurrency: 0: must be a whole number from 1 to 1024',
  ],
  [
    'plain http to another host',
    ACCOUNT.replace('[cn-hangzhou]', '[{id: cn-hangzhou, endpoint: "http://rds.aliyuncs.com"}]'),
    'FILE:4: accounts[0].regions[0].endpoint: "http://rds.aliyuncs.com": plain http is allowed to a loopback address only; use https',
  ],
  [
    'an unreadable file',
    ACCOUNT.replace('access_key_secret: planted-key-secret', 'access_key_secret_file: /nonexistent/secret'),
    'FILE:3: accounts[0].credentials.access_key_secret_file: "/nonexistent/secret": the file cannot be used: no such file',
  ],
];

describe('the command line', function () {
  this.timeout(180_000);
  const scratch = new Scratch();
  after(() => scratch.remove());

  for (const [what, text, problem] of BAD_CONFIGS) {
    it(`ends with 2 and one clear line for ${what}`, async () => {
      const file = scratch.file('bad.yaml', text);
      const { code, stderr, stdout } = await runExporter([`--config.file=${file}`]);
      expect({ code, stdout, stderr: stderr.replaceAll(file, 'FILE') }).to.deep.equal({
        code: 2,
        stdout: '',
        stderr: `${problem}\n`,
      });
    });
  }

  it('ends with 2 and one clear line without a configuration file, and for a flag that it does not know', async () => {
    const missing = await runExporter(['--config.file=/nonexistent.yaml']);
    expect([missing.code, missing.stderr]).to.deep.equal([
      2,
      '/nonexistent.yaml: cannot read the configuration: no such file; name the file with --config.file\n',
    ]);
    const unknown = await runExporter(['--web.listen-adress=:1']);
    expect([unknown.code, unknown.stderr]).to.deep.equal([
      2,
      'unknown flag "--web.listen-adress"; did you mean --web.listen-address? (see --help)\n',
    ]);
  });

  it('prints its version and its flags', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    const [shown, help, short] = await Promise.all([
      runExporter(['--version']),
      runExporter(['--help']),
      runExporter(['-h']),
    ]);
    expect([short.code, short.stdout]).to.deep.equal([0, help.stdout]);
    expect([shown.code, shown.stdout.startsWith(`alicloud-rds-backup-exporter ${version} (`)]).to.deep.equal([0, true]);
    expect([help.code, help.stdout.split('\n')[0]]).to.deep.equal([0, 'Usage: alicloud-rds-backup-exporter [flags]']);
  });

  it('checks a configuration: OK and 0, or every problem and 2', async () => {
    const good = await runExporter(['--config.check', `--config.file=${scratch.file('good.yaml', ACCOUNT)}`]);
    expect([good.code, good.stdout, good.stderr]).to.deep.equal([0, 'OK\n', '']);
    const text = `${ACCOUNT}polling: {concurrency: 0, timeout: x, max: 3}\n`;
    const bad = await runExporter(['--config.check', `--config.file=${scratch.file('three.yaml', text)}`]);
    expect([bad.code, bad.stdout, bad.stderr.split('\n').length - 1]).to.deep.equal([2, '', 3]);
  });

  it('checks the web configuration as well, and tells the problems of both files', async () => {
    const check = async (config: string, web: string): Promise<readonly unknown[]> => {
      const { code, stdout, stderr } = await runExporter([
        '--config.check',
        `--config.file=${scratch.file('config.yaml', config)}`,
        `--web.config.file=${scratch.file('web.yaml', web)}`,
      ]);
      return [code, stdout, stderr.replaceAll(scratch.path, 'FOLDER')];
    };
    const users = 'basic_auth_users: {prometheus: planted-password}\n';
    const tooShort =
      'FOLDER/web.yaml:1: basic_auth_users.prometheus: must be a bcrypt hash; this is too short for one\n';
    expect(await check(ACCOUNT, users)).to.deep.equal([2, '', tooShort]);
    expect(await check('accounts: 3\n', users)).to.deep.equal([
      2,
      '',
      `FOLDER/config.yaml:1: accounts: 3: must be a list\n${tooShort}`,
    ]);
    expect(await check(ACCOUNT, 'http_server_config: {http2: true}\n')).to.deep.equal([
      0,
      'OK\n',
      'warning: http2 is not offered: clients speak HTTP/1.1\n',
    ]);
  });

  it('tells every address it listens on, IPv6 in brackets', async () => {
    const { program } = await startExporter(['--demo', '--demo.instances=1', '--web.listen-address=[::1]:0']);
    await program.stop('SIGKILL');
    expect(program.stderr).to.match(/msg=listening addresses="127\.0\.0\.1:\d+, \[::1\]:\d+"\n/);
  });

  it('ends with 1 and one clear line when the address is in use', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    // With a state, which is open by then and must not hold up the end.
    const config = scratch.file('good.yaml', `${ACCOUNT}state: {path: state}\n`);
    const { code, stderr } = await runExporter([`--config.file=${config}`, `--web.listen-address=127.0.0.1:${port}`]);
    expect([code, stderr.split('\n').slice(1)]).to.deep.equal([
      1,
      [`cannot listen on 127.0.0.1:${port}: the address is already in use`, ''],
    ]);
    server.close();
  });
});

describe('one sweep', function () {
  this.timeout(180_000);
  const scratch = new Scratch();
  let simulator: Simulator;
  let config: string;

  before(async () => {
    simulator = await startSimulator({
      clock: systemClock(),
      accounts: [{ name: 'a', accessKeyId: 'planted-key-id', accessKeySecret: 'planted-key-secret' }],
      regions: ['cn-hangzhou'],
    });
    for (const instanceId of ['rm-1', 'rm-2'])
      simulator.fleet.addInstance({ account: 'a', regionId: 'cn-hangzhou', instanceId });
    config = scratch.file(
      'config.yaml',
      `accounts:
  - name: a
    credentials: ${CREDENTIALS}
    regions: [{id: cn-hangzhou, endpoint: "${simulator.url}"}]
polling: {timeout: 500ms, max_attempts: 1}
`,
    );
  });
  after(async () => {
    await simulator.close();
    scratch.remove();
  });

  it('prints what it saw, nothing else, and ends with 0', async () => {
    const { code, stdout, stderr } = await runExporter(['--once', `--config.file=${config}`]);
    expect([code, stderr]).to.deep.equal([0, '']);
    expect(stdout).to.contain(
      'alicloud_rds_backup_tasks{account="a",region_id="cn-hangzhou",instance_id="rm-2",mode="Manual"} 0\n',
    );
    expect(stdout).to.not.match(/^(process|nodejs)_/m);
  });

  it('ends with 1 when a target failed, and still prints the rest', async () => {
    const refusal = {
      status: 403,
      code: 'Forbidden.RAM',
      message: 'User not authorized to operate on the specified resource.',
    };
    simulator.faults.inject({ instanceId: 'rm-2', effect: { kind: 'refuse', refusal } });
    const { code, stdout } = await runExporter(['--once', `--config.file=${config}`]);
    expect(code).to.equal(1);
    expect(stdout).to.contain('instance_poll_success{account="a",region_id="cn-hangzhou",instance_id="rm-1"} 1\n');
    expect(stdout).to.contain('instance_poll_success{account="a",region_id="cn-hangzhou",instance_id="rm-2"} 0\n');
  });
});

/** How many connections a server has; undefined for none. */
function connectionsOf(server: Server): Promise<number | undefined> {
  return new Promise((resolve) => server.getConnections((_, count) => resolve(count > 0 ? count : undefined)));
}

describe('the check of permissions', function () {
  this.timeout(180_000);
  const scratch = new Scratch();
  let simulator: Simulator;
  let config: string;

  before(async () => {
    simulator = await startSimulator({
      clock: systemClock(),
      accounts: [{ name: 'a', accessKeyId: 'planted-key-id', accessKeySecret: 'planted-key-secret' }],
      regions: ['cn-hangzhou', 'cn-beijing'],
    });
    const regions = Object.entries(simulator.endpoints).map(([id, url]) => `{id: ${id}, endpoint: "${url}"}`);
    config = scratch.file(
      'config.yaml',
      `accounts:
  - name: a
    credentials: ${CREDENTIALS}
    regions: [${regions.join(', ')}]
    discovery: {tag_labels: [team]}
polling: {timeout: 10s}
`,
    );
  });
  after(async () => {
    await simulator.close();
    scratch.remove();
  });

  it('calls each needed action once per account and region and tells what is allowed, denied or unreachable', async () => {
    const refusal = { status: 403, code: 'Forbidden.RAM', message: 'User not authorized.' };
    simulator.faults.inject({ action: 'DescribeDBInstanceByTags', effect: { kind: 'refuse', refusal } });
    await simulator.disconnect('cn-beijing');
    const { code, stdout, stderr } = await runExporter([
      '--config.check',
      '--config.check-permissions',
      `--config.file=${config}`,
    ]);
    const lines = stdout.split('\n');
    expect([code, stderr]).to.deep.equal([1, '']);
    expect(lines.slice(0, 4)).to.deep.equal([
      'ACCOUNT  REGION       ACTION                    RESULT       REASON',
      'a        cn-hangzhou  DescribeDBInstances       allowed',
      'a        cn-hangzhou  DescribeDBInstanceByTags  denied       Forbidden.RAM: the RAM policy lacks "Action": "rds:DescribeDBInstanceByTags"',
      'a        cn-hangzhou  DescribeBackupTasks       allowed',
    ]);
    expect(
      lines.slice(4, 7).every((line) => /^a        cn-beijing   \w+ +unreachable  ConnectionError: /.test(line)),
    ).to.equal(true);
    expect(simulator.stats.count()).to.equal(3);
  });

  it('ends with 1 and without OK when everything is unreachable', async () => {
    simulator.faults.clear();
    await simulator.disconnect('cn-hangzhou');
    const { code, stdout } = await runExporter([
      '--config.check',
      '--config.check-permissions',
      `--config.file=${config}`,
    ]);
    expect([code, stdout.match(/unreachable/g)?.length]).to.deep.equal([1, 6]);
    expect(stdout).not.to.match(/^OK$/m);
  });

  it('ends with 0 and OK when everything is allowed', async () => {
    simulator.faults.clear();
    await simulator.reconnect();
    const { code, stdout } = await runExporter([
      '--config.check',
      '--config.check-permissions',
      `--config.file=${config}`,
    ]);
    expect([code, stdout.match(/allowed/g)?.length, stdout.split('\n').at(-2)]).to.deep.equal([0, 6, 'OK']);
  });
});

describe('the daemon', function () {
  this.timeout(180_000);
  const scratch = new Scratch();
  let hanging: Server;
  let config: string;

  beforeEach(async () => {
    hanging = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(hanging, 'listening');
    const { port } = hanging.address() as AddressInfo;
    config = scratch.file(
      'config.yaml',
      ACCOUNT.replace('[cn-hangzhou]', `[{id: cn-hangzhou, endpoint: "http://127.0.0.1:${port}"}]`),
    );
  });
  afterEach(() => {
    hanging.closeAllConnections();
    hanging.close();
  });
  after(() => scratch.remove());

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`stops cleanly on ${signal} within 5 s while the API hangs`, async () => {
      const { program } = await startExporter([`--config.file=${config}`]);
      await eventually('a call to hang', () => connectionsOf(hanging));
      const before = Date.now();
      expect(await program.stop(signal)).to.equal(0);
      expect(Date.now() - before).to.be.lessThan(5_000);
      // Nor does it wait out its own deadline.
      expect(Date.now() - before).to.be.lessThan(3_500);
      expect(program.stderr).to.match(/level=info msg=stopped\n$/);
    });
  }

  it('is ready once every target was polled, even in vain, and not before', async () => {
    const { program, url } = await startExporter([`--config.file=${config}`]);
    const early = await fetch(`${url}/-/ready`);
    expect([early.status, await early.text()]).to.deep.equal([
      503,
      'alicloud-rds-backup-exporter is not ready: 1 of 1 instances of a in cn-hangzhou have not been polled\n',
    ]);
    expect((await fetch(`${url}/-/healthy`)).status).to.equal(200);
    const refuse = setInterval(() => hanging.closeAllConnections(), 100);
    await eventually('the poll to fail', async () => ((await fetch(`${url}/-/ready`)).ok ? true : undefined));
    clearInterval(refuse);
    expect(await (await fetch(`${url}/metrics`)).text()).to.match(/_poll_success\{.*instance_id="rm-1"\} 0\n/);
    await program.stop();
  });

  it('serves its configuration without a secret', async () => {
    const { program, url } = await startExporter([`--config.file=${config}`]);
    const shown = await (await fetch(`${url}/config`)).text();
    expect(shown).to.contain('access_key_secret: <secret>');
    expect(shown + program.stderr).to.not.contain('planted');
    await program.stop();
  });

  it('takes over a new configuration on SIGHUP and keeps the old one when the new is bad', async () => {
    const { program, url } = await startExporter([`--config.file=${config}`]);
    const reloaded = async (): Promise<string | undefined> =>
      /config_last_reload_successful (\d)/.exec(await (await fetch(`${url}/metrics`)).text())?.[1];
    scratch.file('config.yaml', 'accounts: 3\n');
    program.child.kill('SIGHUP');
    await eventually('the reload to fail', async () => ((await reloaded()) === '0' ? true : undefined));
    expect(await (await fetch(`${url}/config`)).text()).to.contain('rm-1');
    scratch.file('config.yaml', ACCOUNT.replace('id: rm-1', 'id: rm-2'));
    program.child.kill('SIGHUP');
    await eventually('the reload to work', async () => ((await reloaded()) === '1' ? true : undefined));
    // A render of the fleet is shared for up to a second.
    await eventually('the series of the new instance alone', async () => {
      const metrics = await (await fetch(`${url}/metrics`)).text();
      return metrics.includes('instance_id="rm-2"') && !metrics.includes('instance_id="rm-1"') ? true : undefined;
    });
    await program.stop();
  });
});

describe('the demo', function () {
  this.timeout(180_000);

  it('starts with nothing but the program and says where to look', async () => {
    const { program, url } = await startExporter(['--demo', '--demo.instances=12']);
    await program.output(/Open http:\/\/127\.0\.0\.1:\d+\//);
    const sum = await eventually('12 instances', async () => {
      const text = await (await fetch(`${url}/metrics`)).text();
      return [...text.matchAll(/^alicloud_rds_backup_exporter_targets(?:_unsupported)?\{.*\} (\d+)$/gm)].reduce(
        (total, [, n]) => total + Number(n),
        0,
      ) === 12
        ? 12
        : undefined;
    });
    expect(sum).to.equal(12);
    expect(await program.stop()).to.equal(0);
  });
});
