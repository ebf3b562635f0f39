/**
 * What a poll costs, the whole daemon against its peers, interleaved in one run: `node dist-test/bench/polls.js`.
 * Peers: bare undici with a signer, and the official SDK's call loop.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { measure, median, startCloud } from './measure.js';
import type { Cloud, Figures } from './measure.js';

const CONCURRENCY = 32;
const root = fileURLToPath(new URL('../../', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'bench-'));

/** All instances are due again before a sweep has ended, so that the daemon polls as fast as its slots allow. */
function daemon(cloud: Cloud, instances: number): readonly string[] {
  const targets = Array.from({ length: instances }, (_, n) => `      - {id: rm-${n}, region: cn-hangzhou}`);
  const config = join(scratch, 'config.yaml');
  writeFileSync(
    config,
    `accounts:
  - name: bench
    credentials: {type: access_key, access_key_id: bench-key-id, access_key_secret: bench-key-secret}
    regions: [{id: cn-hangzhou, endpoint: "${cloud.url}"}]
    instances:
${targets.join('\n')}
polling:
  idle_interval: 10ms
  active_interval: 10ms
  concurrency: ${CONCURRENCY}
  rate_limit: {requests_per_second: 10000, burst: 1000}
`,
  );
  return [
    join(root, 'dist/main.js'),
    `--config.file=${config}`,
    '--web.listen-address=127.0.0.1:0',
    '--log.level=error',
  ];
}

function peer(name: string, cloud: Cloud, instances: number): readonly string[] {
  return [join(root, 'test/bench/peers', name), cloud.url, `${instances}`, `${CONCURRENCY}`];
}

type Contestants = Readonly<Record<string, (cloud: Cloud) => readonly string[]>>;

async function contest(
  contestants: Contestants,
  {
    latencyMs,
    instances,
    rounds,
    ...amount
  }: { latencyMs: number; instances: number; rounds: number; warmUp: number; polls: number },
): Promise<Readonly<Record<string, Figures>>> {
  const cloud = await startCloud(latencyMs, instances);
  const seen: Record<string, Figures[]> = {};
  for (let round = 0; round < rounds; round++) {
    for (const [name, args] of Object.entries(contestants)) {
      (seen[name] ??= []).push(await measure(cloud, args(cloud), amount));
    }
  }
  cloud.stop();
  return Object.fromEntries(
    Object.entries(seen).map(([name, figures]) => [
      name,
      {
        cpuUsPerPoll: median(figures.map(({ cpuUsPerPoll }) => cpuUsPerPoll)),
        wallMsPerPoll: median(figures.map(({ wallMsPerPoll }) => wallMsPerPoll)),
      },
    ]),
  );
}

function row(what: string, ours: number, theirs: number, unit: string): void {
  console.log(
    `${what.padEnd(58)} ${ours.toFixed(1)} ${unit} / ${theirs.toFixed(1)} ${unit} = ${(ours / theirs).toFixed(3)} x`,
  );
}

const ROUNDS = 5;
for (const instances of [1_000, 2_000]) {
  const sweep = await contest(
    { daemon: (cloud) => daemon(cloud, instances), bare: (cloud) => peer('bare-undici.mjs', cloud, instances) },
    { latencyMs: 50, instances, rounds: ROUNDS, warmUp: 2 * instances, polls: 3 * instances },
  );
  const wall = (name: string): number => sweep[name]!.wallMsPerPoll * instances;
  const idealMs = (instances * 50) / CONCURRENCY;
  row(
    `sweep of ${instances}, 50 ms, concurrency ${CONCURRENCY}: daemon / bare undici`,
    wall('daemon'),
    wall('bare'),
    'ms',
  );
  row(`  daemon / ideal`, wall('daemon'), idealMs, 'ms');
}

const cost = await contest(
  {
    daemon: (cloud) => daemon(cloud, 2_000),
    bare: (cloud) => peer('bare-undici.mjs', cloud, 2_000),
    again: (cloud) => peer('bare-undici.mjs', cloud, 2_000),
    sdk: (cloud) => peer('official-sdk.mjs', cloud, 2_000),
  },
  { latencyMs: 5, instances: 2_000, rounds: ROUNDS, warmUp: 2_000, polls: 20_000 },
);
const cpu = (name: string): number => cost[name]!.cpuUsPerPoll;
row('CPU per poll: daemon / bare undici with a signer', cpu('daemon'), cpu('bare'), 'us');
row('CPU per poll: daemon / official SDK', cpu('daemon'), cpu('sdk'), 'us');
row('  A/A: bare undici / bare undici', cpu('again'), cpu('bare'), 'us');
rmSync(scratch, { recursive: true });
