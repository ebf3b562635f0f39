/** The whole daemon with 10,000 instances: memory, the event loop, scrapes and start: `node dist-test/bench/daemon.js`. */
import { execFile, execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { median, startCloud } from './measure.js';
import type { Cloud } from './measure.js';

const INSTANCES = 10_000;
const PUSHGATEWAY = '/usr/bin/prometheus-pushgateway';
const SCRAPES = 20;
const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const probe = new URL('daemon-probe.js', import.meta.url).href;
const scratch = mkdtempSync(join(tmpdir(), 'bench-'));

function configFor(cloud: Cloud): string {
  const file = join(scratch, 'config.yaml');
  writeFileSync(
    file,
    `accounts:
  - name: bench
    credentials: {type: access_key, access_key_id: bench-key-id, access_key_secret: bench-key-secret}
    regions: [{id: cn-hangzhou, endpoint: "${cloud.url}"}]
    discovery: {refresh_interval: 10m}
polling:
  idle_interval: 5s
  active_interval: 5s
  concurrency: 32
  rate_limit: {requests_per_second: 10000, burst: 1000}
state: {path: ${join(scratch, 'state')}}
`,
  );
  return file;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

async function start(command: string, args: readonly string[], url: string): Promise<ChildProcess> {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const answers = (): Promise<boolean> =>
    fetch(url).then(
      () => true,
      () => false,
    );
  while (!(await answers())) {
    if (child.exitCode !== null) throw new Error(`${command} ended with ${child.exitCode}`);
    await pause(20);
  }
  return child;
}

async function stop(child: ChildProcess): Promise<void> {
  child.kill();
  await once(child, 'close');
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function rssMb(pid: number | undefined): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024;
}

/** One after the other on one connection, by a real client that does not look at what comes: from each request to its last byte, in ms. */
async function scrapes(url: string, encoding: 'gzip' | 'identity', count: number): Promise<readonly number[]> {
  const outputs = Array.from({ length: count }, () => ['-o', '/dev/null', url]).flat();
  const flags = ['-s', '--fail', '-H', `accept-encoding: ${encoding}`, '-w', '%{time_total}\n'];
  const { stdout } = await promisify(execFile)('curl', [...flags, ...outputs]);
  return stdout
    .trim()
    .split('\n')
    .map((seconds) => Number(seconds) * 1000);
}

async function reach(cloud: Cloud, count: number): Promise<void> {
  while ((await cloud.count()) < count) await pause(50);
}

async function large(): Promise<void> {
  const cloud = await startCloud(1, INSTANCES, 10);
  const port = await freePort();
  const flags = [`--config.file=${configFor(cloud)}`, `--web.listen-address=127.0.0.1:${port}`, '--log.level=error'];
  const url = `http://127.0.0.1:${port}`;
  const daemon = await start(process.execPath, ['--import', probe, main, ...flags], `${url}/-/healthy`);
  await reach(cloud, 10 * INSTANCES);
  const [blocks, seconds]: [number[], number[]] = [[], []];
  for (let n = 0; n < SCRAPES; n++) {
    await ask(daemon, 'watch');
    const [, second] = await scrapes(`${url}/metrics`, 'gzip', 2);
    blocks.push(await ask(daemon, 'longestMs'));
    seconds.push(second!);
    await pause(1_100);
  }
  const early = { rssMb: rssMb(daemon.pid), heapMb: await ask(daemon, 'heapMb') };
  const answers = await Promise.allSettled(Array.from({ length: 50 }, () => scrapes(`${url}/metrics`, 'gzip', 1)));
  await reach(cloud, 60 * INSTANCES);
  const late = { rssMb: rssMb(daemon.pid), heapMb: await ask(daemon, 'heapMb') };
  const growth = (figure: keyof typeof late): string =>
    `${early[figure].toFixed(1)} -> ${late[figure].toFixed(1)} MB, ${((late[figure] / early[figure] - 1) * 100).toFixed(1)} %`;
  console.log(
    `${INSTANCES} instances, a tenth with a running task, polled every 5 s, state kept, after 10 sweeps and ${SCRAPES} scrapes: RSS ${early.rssMb.toFixed(0)} MB`,
  );
  console.log(`growth to sweep 60: RSS ${growth('rssMb')}; heap after a forced collection ${growth('heapMb')}`);
  console.log(
    `longest block of the event loop in a scrape meanwhile: median of ${SCRAPES} ${median(blocks).toFixed(1)} ms, worst ${Math.max(...blocks).toFixed(1)} ms`,
  );
  console.log(`a second gzip scrape within the second: ${median(seconds).toFixed(1)} ms`);
  console.log(`50 scrapes at once: ${answers.filter(({ status }) => status === 'rejected').length} errors`);
  await againstPushgateway(url);
  await stop(daemon);
  cloud.stop();
}

/** Of the probe in the daemon. */
async function ask(daemon: ChildProcess, question: 'heapMb' | 'watch' | 'longestMs'): Promise<number> {
  daemon.send(question);
  const [answer] = (await once(daemon, 'message')) as [number];
  return answer;
}

/** The same series in Debian's Go client. */
async function againstPushgateway(url: string): Promise<void> {
  if (!existsSync(PUSHGATEWAY))
    return console.log('pushgateway: not installed (Debian package prometheus-pushgateway)');
  const port = await freePort();
  const theirs = `http://127.0.0.1:${port}`;
  const child = await start(
    PUSHGATEWAY,
    [`--web.listen-address=127.0.0.1:${port}`, '--push.disable-consistency-check', '--log.level=error'],
    `${theirs}/-/healthy`,
  );
  const text = await (await fetch(`${url}/metrics`)).text();
  const fleet = text
    .split('\n')
    .filter((line) => !/^(?:# (?:HELP|TYPE) )?(?:process|nodejs)_/.test(line))
    .join('\n');
  const pushed = await fetch(`${theirs}/metrics/job/bench`, { method: 'PUT', body: fleet });
  if (!pushed.ok) throw new Error(await pushed.text());
  const times: Record<'ours' | 'theirs', number[]> = { ours: [], theirs: [] };
  for (let round = 0; round < 7; round++) {
    await pause(1_100);
    times.ours.push(...(await scrapes(`${url}/metrics`, 'identity', 1)));
    times.theirs.push(...(await scrapes(`${theirs}/metrics`, 'identity', 1)));
  }
  const [ours, go] = [median(times.ours), median(times.theirs)];
  console.log(
    `whole scrape, plain, ${(text.length / 1e6).toFixed(1)} MB: ${ours.toFixed(0)} ms, pushgateway with the same series ${go.toFixed(0)} ms: ${(ours / go).toFixed(3)} x`,
  );
  await stop(child);
}

/** To the first answer of /-/healthy, against a Node that does nothing. */
async function startTime(): Promise<void> {
  const config = join(scratch, 'small.yaml');
  writeFileSync(
    config,
    `accounts:
  - name: bench
    credentials: {type: access_key, access_key_id: bench-key-id, access_key_secret: bench-key-secret}
    regions: [{id: cn-hangzhou, endpoint: "http://127.0.0.1:9"}]
    instances: [{id: rm-1, region: cn-hangzhou}]
`,
  );
  const [ours, bare]: [number[], number[]] = [[], []];
  for (let round = 0; round < 11; round++) {
    const before = performance.now();
    execFileSync(process.execPath, ['-e', '0']);
    bare.push(performance.now() - before);
    ours.push(await timeToListen(config));
  }
  console.log(
    `start to listening: ${median(ours).toFixed(0)} ms, node -e 0 ${median(bare).toFixed(0)} ms: ${(median(ours) / median(bare)).toFixed(2)} x (Node ${process.version})`,
  );
}

async function timeToListen(config: string): Promise<number> {
  const before = performance.now();
  const child = spawn(process.execPath, [main, `--config.file=${config}`, '--web.listen-address=127.0.0.1:0'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  for await (const chunk of child.stderr.setEncoding('utf8')) {
    log += String(chunk);
    const address = /msg=listening addresses=(\S+)/.exec(log)?.[1];
    if (address === undefined) continue;
    await fetch(`http://${address}/-/healthy`);
    break;
  }
  const taken = performance.now() - before;
  child.kill('SIGKILL');
  await once(child, 'close');
  return taken;
}

await startTime();
await large();
rmSync(scratch, { recursive: true });
