import { once } from 'node:events';
import { renameSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { expect } from 'chai';
import { systemClock } from '../../dist/clock.js';
import { startSimulator } from '../../dist/simulator/server.js';
import type { Simulator } from '../../dist/simulator/server.js';
import { Scratch, eventually, startExporter } from '../helpers/program.js';
import type { RunningExporter } from '../helpers/program.js';

const REGIONS = ['cn-hangzhou', 'cn-beijing', 'eu-central-1'] as const;
type Region = (typeof REGIONS)[number];
const TASK = {
  BackupJobId: 7,
  BackupProgressStatus: 'Uploading',
  BackupStatus: 'Uploading',
  JobMode: 'Automated',
  Process: '40',
  TaskAction: 'NormalBackupTask',
};

/** Hands connections on to the API, and counts them. */
class Relay {
  readonly server: Server;
  readonly sockets = new Set<Socket>();
  opened = 0;

  constructor(port: number) {
    this.server = createServer((socket) => {
      this.opened++;
      const onward = connect(port, '127.0.0.1');
      for (const end of [socket, onward]) {
        this.sockets.add(end);
        end.on('error', () => undefined).once('close', () => this.sockets.delete(end));
      }
      socket.pipe(onward).pipe(socket);
    }).listen(0, '127.0.0.1');
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }
}

describe('a reload of the running daemon', function () {
  this.timeout(180_000);
  const scratch = new Scratch();
  let simulator: Simulator;
  let relay: Relay;
  let exporter: RunningExporter | undefined;

  before(async () => {
    simulator = await startSimulator({
      clock: systemClock(),
      accounts: [{ name: 'a', accessKeyId: 'test-key-id', accessKeySecret: 'test-key-secret' }],
      regions: REGIONS,
    });
    for (const regionId of REGIONS) {
      for (const name of ['kept', 'gone', 'new']) {
        simulator.fleet.addInstance({ account: 'a', regionId, instanceId: `rm-${name}-${regionId}` });
      }
    }
    simulator.fleet.setTasks('a', 'rm-kept-cn-hangzhou', { listed: [TASK] });
    relay = new Relay(Number(new URL(simulator.url).port));
    await once(relay.server, 'listening');
  });
  afterEach(async () => {
    await exporter?.program.stop('SIGKILL');
    exporter = undefined;
  });
  after(async () => {
    await relay.close();
    await simulator.close();
    scratch.remove();
  });

  /** Instances by region; each is polled once and then not for an hour. Hangzhou is behind the relay. */
  function write(instances: Partial<Record<Region, readonly string[]>>, more = ''): string {
    const places = Object.entries(instances).map(([regionId, names]) => ({
      region: `{id: ${regionId}, endpoint: "${regionId === 'cn-hangzhou' ? `http://127.0.0.1:${(relay.server.address() as AddressInfo).port}` : simulator.endpoints[regionId]}"}`,
      targets: names.map((name) => `{id: rm-${name}-${regionId}, region: ${regionId}}`),
    }));
    const written = scratch.file(
      'written.yaml',
      `accounts:
  - name: a
    credentials: {type: access_key, access_key_id: test-key-id, access_key_secret: test-key-secret}
    regions: [${places.map(({ region }) => region).join(', ')}]
    instances: [${places.flatMap(({ targets }) => targets).join(', ')}]
polling: {idle_interval: 1h, active_interval: 1h, stale_after: 1h}
${more}`,
    );
    // Never half written for whoever reads it meanwhile.
    renameSync(written, `${scratch.path}/config.yaml`);
    return `${scratch.path}/config.yaml`;
  }

  /** A daemon that has polled everything. */
  async function start(config: string, ...flags: string[]): Promise<RunningExporter> {
    exporter = await startExporter([`--config.file=${config}`, ...flags]);
    await polled();
    return exporter;
  }

  async function get(path: string, method = 'GET'): Promise<{ readonly status: number; readonly text: string }> {
    const response = await fetch(exporter!.url + path, { method });
    return { status: response.status, text: await response.text() };
  }

  async function reload(): Promise<{ readonly status: number; readonly text: string }> {
    return get('/-/reload', 'POST');
  }

  /** A render of the fleet is shared for up to a second, what is told of the places is not. */
  async function polled(): Promise<void> {
    await eventually('every instance to have been polled, and to be shown', async () => {
      const targets = await samples(/exporter_targets\{/);
      const sum = targets.reduce((total, line) => total + Number(line.split(' ').at(-1)), 0);
      return sum > 0 && (await samples(/poll_success\{/)).length === sum ? true : undefined;
    });
  }

  async function samples(pattern: RegExp): Promise<readonly string[]> {
    const { text } = await get('/metrics');
    return text.split('\n').filter((line) => !line.startsWith('#') && pattern.test(line));
  }

  async function value(pattern: RegExp): Promise<string | undefined> {
    return (await samples(pattern))[0]?.split(' ').at(-1);
  }

  async function nextPoll(instanceId: string): Promise<string | null | undefined> {
    const { text } = await get(`/api/v1/status?q=${instanceId}`);
    return (JSON.parse(text) as { instances: { next_poll: string | null }[] }).instances[0]?.next_poll;
  }

  it('leaves what is in both files undisturbed, down to its connections; what left the file vanishes, what came appears', async () => {
    await start(write({ 'cn-hangzhou': ['kept', 'gone'], 'cn-beijing': ['kept'] }), '--web.enable-lifecycle');
    const kept = /instance_id="rm-kept-cn-hangzhou"/;
    const before = { kept: await samples(kept), next: await nextPoll('rm-kept-cn-hangzhou'), opened: relay.opened };
    expect(before.kept.join('\n')).to.contain('task_running_since_timestamp_seconds');
    expect(before.next).to.be.a('string');
    expect(before.opened).to.be.within(1, 2);
    expect(await value(/api_requests_total.*cn-hangzhou/)).to.equal('2');

    write({ 'cn-hangzhou': ['kept', 'new'], 'eu-central-1': ['kept', 'new'] });
    expect(await reload()).to.deep.equal({ status: 200, text: 'Configuration reloaded.\n' });
    await polled();
    expect(await samples(kept)).to.deep.equal(before.kept);
    expect(await nextPoll('rm-kept-cn-hangzhou')).to.equal(before.next);
    expect(relay.opened).to.equal(before.opened);
    expect(await samples(/api_requests_total.*DescribeBackupTasks/)).to.deep.equal([
      'alicloud_rds_backup_exporter_api_requests_total{account="a",region_id="cn-hangzhou",action="DescribeBackupTasks"} 3',
      'alicloud_rds_backup_exporter_api_requests_total{account="a",region_id="eu-central-1",action="DescribeBackupTasks"} 2',
    ]);
    expect(await samples(/rm-gone|cn-beijing/)).to.deep.equal([]);
    expect(await samples(/poll_success\{/)).to.have.length(4);
  });

  it('of a bad file changes nothing, answers with every problem, and shows in the metric until a good one comes', async () => {
    await start(write({ 'cn-hangzhou': ['kept'] }), '--web.enable-lifecycle');
    const [config, instances] = [await get('/config'), await samples(/instance_id=/)];
    const successful = /config_last_reload_successful/;
    const time = await value(/config_last_reload_success_timestamp/);
    const file = write({ 'cn-hangzhou': ['new'] }, 'pollling: {}\nsharding: {count: 0}\n');
    expect(await reload()).to.deep.equal({
      status: 500,
      text: `The old configuration stays in force:\n${file}:7: pollling: unknown key; did you mean polling?\n${file}:8: sharding.count: 0: must be a whole number from 1 to 1000\n`,
    });
    expect(await value(successful)).to.equal('0');
    expect(await value(/config_last_reload_success_timestamp/)).to.equal(time);
    expect([await get('/config'), await samples(/instance_id=/)]).to.deep.equal([config, instances]);
    write({ 'cn-hangzhou': ['new'] });
    expect((await get('/-/reload', 'PUT')).status).to.equal(200);
    expect(await value(successful)).to.equal('1');
    expect((await get('/config')).text).to.contain('rm-new-cn-hangzhou');
  });

  it('refuses what only a restart can change, with the reason', async () => {
    await start(write({ 'cn-hangzhou': ['kept'] }), '--web.enable-lifecycle');
    const config = await get('/config');
    write({ 'cn-hangzhou': ['new'] }, 'sharding: {index: 1, count: 3}\nstate: {path: state}\n');
    expect(await reload()).to.deep.equal({
      status: 500,
      text:
        'The old configuration stays in force:\n' +
        'sharding: a change moves instances between shards and needs a restart\n' +
        'state: a change of the store needs a restart\n',
    });
    expect(await get('/config')).to.deep.equal(config);
    expect(exporter!.program.stderr.match(/configuration not reloaded, the old one stays/g)).to.have.length(2);
  });

  it('of the last of many files is in force in the end, however many are asked for at once', async () => {
    await start(write({ 'cn-hangzhou': ['kept'] }), '--web.enable-lifecycle');
    const answers: Promise<{ readonly status: number }>[] = [];
    for (let round = 0; round < 10; round++) {
      write(round % 2 === 0 ? { 'cn-hangzhou': ['kept', 'new'], 'cn-beijing': ['new'] } : { 'cn-hangzhou': ['kept'] });
      answers.push(reload());
      exporter!.program.child.kill('SIGHUP');
    }
    write({ 'cn-hangzhou': ['kept'], 'eu-central-1': ['new'] });
    answers.push(reload());
    expect((await Promise.all(answers)).map(({ status }) => status)).to.deep.equal(answers.map(() => 200));
    await polled();
    expect(
      (await samples(/exporter_targets\{/)).map((line) => /region_id="([^"]+)".* (\d)$/.exec(line)?.slice(1)),
    ).to.deep.equal([
      ['cn-hangzhou', '1'],
      ['eu-central-1', '1'],
    ]);
    expect((await samples(/poll_success\{/)).length).to.equal(2);
    expect(exporter!.program.stderr).to.not.contain('level=error');
  });

  it('is asked for over HTTP only where that is enabled, and never by a look', async () => {
    const { url } = await start(write({ 'cn-hangzhou': ['kept'] }));
    const answered = async (method: string): Promise<readonly unknown[]> => {
      const response = await fetch(`${url}/-/reload`, { method });
      return [response.status, response.headers.get('allow')];
    };
    expect([await answered('POST'), await answered('PUT')]).to.deep.equal([
      [403, null],
      [403, null],
    ]);
    expect([await answered('GET'), await answered('HEAD')]).to.deep.equal([
      [405, 'POST, PUT, OPTIONS'],
      [405, 'POST, PUT, OPTIONS'],
    ]);
    expect(exporter!.program.stderr).to.not.contain('reloaded');
  });
});
