import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { systemClock } from '../../dist/clock.js';
import { startSimulator } from '../../dist/simulator/server.js';
import type { Simulator } from '../../dist/simulator/server.js';
import { Scratch, eventually, startExporter } from '../helpers/program.js';
import type { RunningExporter } from '../helpers/program.js';

const MESSAGE = 'it sent GET /?AccessKeyId=LTAI5tPlantedKeyId&Signature=planted-signature';
/** Run by a signal inside of the exporter, in place of a bug in it. */
const BUGS = {
  rejection: `Promise.reject(bug)`,
  exception: `throw bug`,
  attempt: `crypto.createHmac = () => { throw bug }; syncBuiltinESMExports()`,
} as const;

describe('a bug in the exporter', function () {
  this.timeout(180_000);
  const scratch = new Scratch();
  const started: RunningExporter[] = [];
  let simulator: Simulator;

  before(async () => {
    simulator = await startSimulator({
      clock: systemClock(),
      accounts: [{ name: 'a', accessKeyId: 'test-key-id', accessKeySecret: 'test-key-secret' }],
      regions: ['cn-hangzhou'],
    });
    simulator.fleet.addInstance({ account: 'a', regionId: 'cn-hangzhou', instanceId: 'rm-1' });
  });
  afterEach(async () => {
    for (const { program } of started.splice(0)) await program.stop('SIGKILL');
  });
  after(async () => {
    await simulator.close();
    scratch.remove();
  });

  /** A daemon that has polled, and does something wrong on SIGUSR2. */
  async function startWith(bug: keyof typeof BUGS): Promise<RunningExporter> {
    const config = scratch.file(
      'config.yaml',
      `accounts:
  - name: a
    credentials: {type: access_key, access_key_id: test-key-id, access_key_secret: test-key-secret}
    regions: [{id: cn-hangzhou, endpoint: "${simulator.url}"}]
    instances: [{id: rm-1, region: cn-hangzhou}]
polling: {idle_interval: 200ms, active_interval: 200ms, max_attempts: 1, rate_limit: {requests_per_second: 50, burst: 50}}
`,
    );
    const plant = scratch.file(
      'plant.mjs',
      `import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
process.on('SIGUSR2', function planted() {
  const bug = new TypeError(${JSON.stringify(MESSAGE)}, { cause: new Error('planted-cause') });
  bug.headers = { authorization: 'planted-header' };
  ${BUGS[bug]};
});
`,
    );
    const exporter = await startExporter([`--config.file=${config}`], {
      NODE_OPTIONS: `--import=${pathToFileURL(plant).href}`,
    });
    started.push(exporter);
    expect(await metric(exporter, 'exporter_internal_errors_total')).to.equal('0');
    await polledAgain();
    return exporter;
  }

  async function metric({ url }: RunningExporter, name: string): Promise<string | undefined> {
    const text = await (await fetch(`${url}/metrics`)).text();
    return new RegExp(`^alicloud_rds_backup_${name}(?:\\{.*\\})? (\\S+)$`, 'm').exec(text)?.[1];
  }

  /** A render of the fleet is shared for up to a second. */
  async function becomes(exporter: RunningExporter, name: string, value: string): Promise<void> {
    await eventually(`${name} ${value}`, async () => ((await metric(exporter, name)) === value ? true : undefined));
  }

  async function polledAgain(): Promise<void> {
    const before = simulator.stats.count();
    await eventually('two more polls', () => (simulator.stats.count() > before + 1 ? true : undefined));
  }

  function expectToldWithoutSecrets({ program }: RunningExporter, line: RegExp): void {
    const told = program.stderr.split('\n').filter((text) => text.includes('level=error'));
    expect(told).to.have.length(1);
    expect(told[0]).to.match(line);
    expect(program.stderr + program.stdout).to.not.match(/LTAI|planted-/);
  }

  it('that leaves a rejected promise behind is logged and counted, and polling goes on', async () => {
    const exporter = await startWith('rejection');
    exporter.program.child.kill('SIGUSR2');
    await exporter.program.output(/a bug in the exporter.*\n/);
    expectToldWithoutSecrets(
      exporter,
      /msg="a bug in the exporter" error="TypeError: it sent GET \/\?<secret>" stack="at process\.planted .*plant\.mjs:\d+:\d+\)/,
    );
    expect(await metric(exporter, 'exporter_internal_errors_total')).to.equal('1');
    await polledAgain();
    await becomes(exporter, 'instance_poll_success', '1');
    expect(await exporter.program.stop()).to.equal(0);
  });

  it('that throws where nobody catches ends the daemon with 1 and one line', async () => {
    const exporter = await startWith('exception');
    exporter.program.child.kill('SIGUSR2');
    expect(await exporter.program.exit).to.equal(1);
    expectToldWithoutSecrets(
      exporter,
      /msg="uncaught exception, the exporter ends" error="TypeError: it sent GET \/\?<secret>" stack="at process\.planted .*plant\.mjs:\d+:\d+\)/,
    );
    expect(exporter.program.stderr).to.match(/uncaught exception.*\n$/);
  });

  it('that breaks an attempt fails the poll and is counted', async () => {
    const exporter = await startWith('attempt');
    exporter.program.child.kill('SIGUSR2');
    await becomes(exporter, 'instance_poll_success', '0');
    expect(Number(await metric(exporter, 'exporter_internal_errors_total'))).to.be.greaterThan(0);
    expect(exporter.program.stderr).to.match(/msg="poll failing".* code=InternalError/);
  });
});
