import { expect } from 'chai';
import type { Demo } from '../../../dist/simulator/demo.js';
import { startDemo } from '../../../dist/simulator/demo.js';
import { parse } from 'yaml';
import { FakeClock } from '../../helpers/fake-clock.js';
import { ask } from './client.js';

interface Watched {
  /** Seconds after the start. */
  readonly progress: number[];
  readonly finished: number[];
  readonly failed: number[];
  readonly stuck: number[];
}

interface Configuration {
  readonly accounts: readonly {
    readonly credentials: { readonly access_key_id: string; readonly access_key_secret: string };
    readonly regions: readonly { readonly id: string; readonly endpoint: string }[];
  }[];
  readonly polling: object;
}

/** Polls every instance each 2 seconds, as the exporter does, and notes what a person would see. */
async function watch(demo: Demo, clock: FakeClock, seconds: number): Promise<Watched> {
  const seen: Watched = { progress: [], finished: [], failed: [], stuck: [] };
  const last = new Map<number, { words: string; second: number }>();
  const { fleet } = demo.simulator;
  const members = fleet.instances().map(({ account, instanceId }) => fleet.find(account, instanceId)!);
  for (let second = 0; second < seconds; second += 2) {
    for (const { timeline } of members) {
      const listed = timeline.listedAt(clock.now());
      for (const { BackupJobId, BackupStatus, Process } of listed) {
        const jobId = Number(BackupJobId);
        const words = `${BackupStatus ?? 'queued'} ${Process}`;
        const before = last.get(jobId);
        if (before?.words !== words) last.set(jobId, { words, second });
        else if (BackupStatus !== undefined && second - before.second > 20) seen.stuck.push(jobId);
        if (before && before.words !== words) seen.progress.push(second);
      }
      for (const [jobId] of last) {
        if (listed.some((task) => Number(task.BackupJobId) === jobId)) continue;
        const ended = timeline.findAt(jobId, clock.now());
        if (ended?.BackupStatus === 'Finished') seen.finished.push(second);
        if (ended?.BackupStatus === 'Failed') seen.failed.push(second);
        if (ended) last.delete(jobId);
      }
    }
    await clock.advance(2000);
  }
  return seen;
}

describe('the demo', () => {
  let clock: FakeClock;
  let demo: Demo;

  beforeEach(async () => {
    clock = new FakeClock();
    demo = await startDemo({ clock, instances: 24 });
  });
  afterEach(() => demo.close());

  it('shows progress, an end, a failure and one stuck backup within two minutes', async () => {
    const seen = await watch(demo, clock, 120);
    expect(seen.progress[0]).to.be.at.most(10);
    expect(seen.finished.length).to.be.greaterThan(2);
    expect(seen.failed[0]).to.be.lessThan(90);
    expect(new Set(seen.stuck).size).to.equal(1);
  });

  it('has exactly one stuck backup, however long one looks', async () => {
    const { stuck } = await watch(demo, clock, 1200);
    expect(new Set(stuck).size).to.equal(1);
  });

  it('spreads two dozen instances of several engines over two regions, some of them replicas', () => {
    const fleet = demo.simulator.fleet.instances();
    expect(fleet).to.have.length(24);
    expect(new Set(fleet.map(({ regionId }) => regionId)).size).to.equal(2);
    expect(new Set(fleet.map(({ engine }) => engine)).size).to.equal(4);
    expect(
      fleet.filter(({ instanceType }) => instanceType === 'Readonly').map(({ regionId }) => regionId),
    ).to.deep.equal(['eu-central-1', 'cn-hangzhou']);
  });

  it("comes with the exporter's configuration, whose credentials and endpoints work", async () => {
    const { accounts, polling }: Configuration = parse(demo.configuration);
    expect(polling).to.include({ idle_interval: '10s', active_interval: '2s', stuck_after: '20s' });
    const { credentials, regions } = accounts[0]!;
    expect(regions.map(({ id }) => id)).to.deep.equal(['cn-hangzhou', 'eu-central-1']);
    demo.simulator.settings.latencyMs = 0;
    for (const { id, endpoint } of regions) {
      const told = await ask({
        url: endpoint,
        action: 'DescribeDBInstances',
        parameters: { RegionId: id, MaxResults: '100' },
        accessKeyId: credentials.access_key_id,
        accessKeySecret: credentials.access_key_secret,
        date: new Date(clock.now()).toISOString().replace('.000Z', 'Z'),
      });
      expect(told.json.Items?.DBInstance).to.have.length(12);
    }
  });
});
