import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { expect } from 'chai';
import { systemClock } from '../../dist/clock.js';
import { startSimulator } from '../../dist/simulator/server.js';
import type { Simulator } from '../../dist/simulator/server.js';
import { Program, Scratch, eventually, startExporter } from '../helpers/program.js';

const LAST_LINE = /msg=stopped\n$/;

/** A pipe in the place of the file that LevelDB opens first: whoever opens it hangs in the kernel. */
describe('a disk that hangs in the kernel', function () {
  this.timeout(180_000);
  const scratch = new Scratch();
  let database: string;
  let simulator: Simulator;
  let args: readonly string[];

  before(async () => {
    simulator = await startSimulator({
      clock: systemClock(),
      accounts: [{ name: 'a', accessKeyId: 'test-key-id', accessKeySecret: 'test-key-secret' }],
      regions: ['cn-hangzhou'],
    });
    simulator.fleet.addInstance({ account: 'a', regionId: 'cn-hangzhou', instanceId: 'rm-1' });
    database = `${scratch.path}/state/db`;
    const config = scratch.file(
      'config.yaml',
      `accounts:
  - name: a
    credentials: {type: access_key, access_key_id: test-key-id, access_key_secret: test-key-secret}
    regions: [{id: cn-hangzhou, endpoint: "${simulator.url}"}]
    instances: [{id: rm-1, region: cn-hangzhou}]
state: {path: ${scratch.path}/state}
`,
    );
    args = [`--config.file=${config}`];
  });

  beforeEach(() => {
    rmSync(`${scratch.path}/state`, { recursive: true, force: true });
    mkdirSync(database, { recursive: true });
  });

  after(async () => {
    await simulator?.close();
    scratch.remove();
  });

  function starting(): Program {
    execFileSync('mkfifo', [`${database}/CURRENT`]);
    return new Program(process.execPath, ['dist/main.js', ...args, '--web.listen-address=127.0.0.1:0']);
  }

  /** Ended by the signal's default, since nothing else gets past the thread that hangs. */
  async function endsWithin5s(program: Program): Promise<void> {
    const begun = performance.now();
    await program.stop();
    expect(program.child.signalCode).to.equal('SIGTERM');
    expect(performance.now() - begun).to.be.lessThan(5_000);
  }

  it('at the start holds up no stop', async () => {
    const program = starting();
    await program.output(/msg=starting/);
    await endsWithin5s(program);
    expect(program.stderr).to.match(LAST_LINE);
  });

  it('at the start holds up no second signal', async () => {
    const program = starting();
    await program.output(/msg=starting/);
    program.child.kill();
    await program.output(/msg=stopping/);
    await endsWithin5s(program);
    expect(program.stderr).not.to.match(LAST_LINE);
  });

  it('while the exporter runs holds up no stop', async () => {
    const { program, url } = await startExporter(args);
    renameSync(database, `${database}.old`);
    mkdirSync(database);
    execFileSync('sh', ['-c', `cp ${database}.old/[!C]* ${database}; mkfifo ${database}/CURRENT`]);
    // The write that finds the directory replaced is followed by one that opens it anew.
    await eventually('the state to be not saved', async () =>
      (await (await fetch(`${url}/metrics`)).text()).includes('state_last_save_successful 0') ? true : undefined,
    );
    await endsWithin5s(program);
    expect(program.stderr).to.match(LAST_LINE);
  });
});
