/**
 * The simulator in a process of its own, so that it costs those who are measured nothing: forked, answers `count`.
 * Arguments: milliseconds to an answer, instances, and of how many one has a running task that moves on every second.
 */
import { systemClock } from '../../dist/clock.js';
import { startSimulator } from '../../dist/simulator/server.js';

const [latencyMs = 0, instances = 0, runningOf = Infinity] = process.argv.slice(2).map(Number);
const simulator = await startSimulator({
  clock: systemClock(),
  accounts: [{ name: 'bench', accessKeyId: 'bench-key-id', accessKeySecret: 'bench-key-secret' }],
  regions: ['cn-hangzhou'],
  latencyMs,
});
for (let n = 0; n < instances; n++) {
  simulator.fleet.addInstance({ account: 'bench', regionId: 'cn-hangzhou', instanceId: `rm-${n}` });
}
const { fleet } = simulator;
let percent = 0;
if (runningOf < Infinity) setInterval(moveOn, 1_000);
function moveOn(): void {
  percent = (percent + 1) % 100;
  for (let n = 0; n < instances; n += runningOf) {
    fleet.setTasks('bench', `rm-${n}`, {
      listed: [{ BackupJobId: n + 1, BackupStatus: 'Uploading', JobMode: 'Automated', Process: `${percent}` }],
    });
  }
}
fleet.addInstance({
  account: 'bench',
  regionId: 'cn-hangzhou',
  instanceId: 'rm-tagged',
  tags: { "env (it's)": 'prod*!~团队' },
});
fleet.setTasks('bench', 'rm-tagged', {
  listed: [
    {
      BackupJobId: 8,
      BackupStatus: 'Uploading',
      BackupProgressStatus: 'Uploading',
      JobMode: 'Automated',
      Process: '5',
    },
  ],
  ended: [{ BackupJobId: 7, BackupId: '99', BackupStatus: 'Finished', JobMode: 'Automated', Process: '100' }],
});
process.on('message', () => process.send?.({ count: simulator.stats.count() }));
process.on('disconnect', () => process.exit(0));
process.send?.({ url: simulator.url });
