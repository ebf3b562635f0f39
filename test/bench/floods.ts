/**
 * What unauthenticated floods cost the whole daemon: `node dist-test/bench/floods.js [PATTERN]`. For each kind of flood the
 * resident memory, idle and at its peak, the slowest answer of /-/healthy on a new connection and on one that is kept, what
 * of it the event loop worked (the rest is the machine's other load), and whether a well-behaved scraper got every page.
 * PATTERN narrows the cases by their name.
 */
import { execFileSync, fork, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, get as getHttp } from 'node:http';
import { Agent as TlsAgent, get as getHttps } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Flood } from './flood-child.js';
import { startCloud } from './measure.js';
import type { Cloud } from './measure.js';

const INSTANCES = 5_000;
const PATHS = ['/api/v1/status?limit=1000', '/?limit=1000', '/metrics', '/config'];
const CONNECTIONS = [1, 5, 20, 100, 400];
const REQUESTS = 100;
const IDLE_MS = 4_000;
const FLOOD_MS = 6_000;
const LOOK_MS = 50;
const SCRAPE_TIMEOUT_MS = 10_000;
const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const floodChild = fileURLToPath(new URL('flood-child.js', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'bench-'));

class Slowest {
  healthyMs = 0;
  /** CPU time of the daemon's main thread while an answer was waited for. */
  workMs = 0;

  get text(): string {
    return `${this.healthyMs.toFixed(0)} ms, work ${this.workMs.toFixed(0)} ms`;
  }
}

/** What a well-behaved client sees, all the while: a scrape and two probes at a time, one on a new connection. */
class Witness {
  readonly #agent: Agent;
  readonly #probeAgent: Agent;
  readonly #get;
  readonly #origin: string;
  #isOver = false;
  readonly #loopMs: () => number;
  onNew = new Slowest();
  onKept = new Slowest();
  scrapes = 0;
  missed = 0;
  readonly #ended: Promise<unknown>;

  constructor({ child, port }: Daemon, tls: boolean) {
    this.#loopMs = () => loopMs(child);
    const agent = (): Agent =>
      tls ? new TlsAgent({ keepAlive: true, rejectUnauthorized: false }) : new Agent({ keepAlive: true });
    this.#agent = agent();
    this.#probeAgent = agent();
    this.#get = tls ? getHttps : getHttp;
    this.#origin = `${tls ? 'https' : 'http'}://127.0.0.1:${port}`;
    this.#ended = Promise.all([
      this.#scrape(),
      this.#probe(false, () => this.onNew),
      this.#probe(this.#probeAgent, () => this.onKept),
    ]);
  }

  reset(): void {
    this.onNew = new Slowest();
    this.onKept = new Slowest();
    this.scrapes = this.missed = 0;
  }

  /** Once the requests under way have ended that begin in this time. */
  async end(afterMs: number): Promise<void> {
    await pause(afterMs);
    this.#isOver = true;
    await this.#ended;
    this.#agent.destroy();
    this.#probeAgent.destroy();
  }

  async #scrape(): Promise<void> {
    while (!this.#isOver) {
      const headers = { 'accept-encoding': 'gzip' };
      const ok = await this.#ask('/metrics', { agent: this.#agent, headers });
      this.scrapes++;
      if (!ok) this.missed++;
      await pause(500);
    }
  }

  async #probe(agent: Agent | false, slowest: () => Slowest): Promise<void> {
    while (!this.#isOver) {
      const before = performance.now();
      const workBefore = this.#loopMs();
      const ok = await this.#ask('/-/healthy', { agent, rejectUnauthorized: false });
      const seen = slowest();
      seen.healthyMs = Math.max(seen.healthyMs, ok ? performance.now() - before : Infinity);
      seen.workMs = Math.max(seen.workMs, this.#loopMs() - workBefore);
      await pause(100);
    }
  }

  /** Whether a whole 200 came in time. */
  #ask(path: string, options: object): Promise<boolean> {
    return new Promise((resolve) => {
      const request = this.#get(this.#origin + path, { ...options, timeout: SCRAPE_TIMEOUT_MS }, (response) => {
        response.resume().once('close', () => resolve(response.complete && response.statusCode === 200));
      });
      const late = setTimeout(() => request.destroy(), SCRAPE_TIMEOUT_MS);
      request.once('error', () => resolve(false)).once('close', () => clearTimeout(late));
    });
  }
}

function configFor(cloud: Cloud): string {
  const file = join(scratch, 'config.yaml');
  const instances = Array.from({ length: INSTANCES }, (_, n) => `      - {id: rm-${n}, region: cn-hangzhou}\n`).join(
    '',
  );
  writeFileSync(
    file,
    `accounts:
  - name: bench
    credentials: {type: access_key, access_key_id: bench-key-id, access_key_secret: bench-key-secret}
    regions: [{id: cn-hangzhou, endpoint: "${cloud.url}"}]
    instances:
${instances}polling: {rate_limit: {requests_per_second: 10000, burst: 10000}, concurrency: 32}
`,
  );
  return file;
}

function webConfig(): string {
  const [key, cert, file] = ['key.pem', 'cert.pem', 'web.yaml'].map((name) => join(scratch, name)) as [
    string,
    string,
    string,
  ];
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key];
  execFileSync('openssl', ['req', '-x509', ...ec, '-out', cert, '-days', '2', '-subj', '/CN=bench'], {
    stdio: 'ignore',
  });
  writeFileSync(file, `tls_server_config: {cert_file: ${cert}, key_file: ${key}}\n`);
  return file;
}

interface Daemon {
  readonly child: ChildProcess;
  readonly port: number;
}

async function start(flags: readonly string[]): Promise<Daemon> {
  const args = ['--max-old-space-size=384', main, '--web.listen-address=127.0.0.1:0', ...flags];
  const env = { PATH: process.env['PATH'], ALIBABA_CLOUD_ECS_METADATA_DISABLED: 'true' };
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'], env });
  let log = '';
  return new Promise((resolve, reject) => {
    child.once('close', () => reject(new Error(log)));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      log = (log + text).slice(-10_000);
      const port = /msg=listening addresses=127\.0\.0\.1:(\d+)/.exec(log)?.[1];
      if (port !== undefined) resolve({ child, port: Number(port) });
    });
  });
}

/** Resident megabytes; Infinity once it has died. */
function rssMb({ pid, exitCode, signalCode }: ChildProcess): number {
  if (exitCode !== null || signalCode !== null) return Infinity;
  const kilobytes = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return kilobytes === undefined ? Infinity : Number(kilobytes) / 1024;
}

function loopMs({ pid }: ChildProcess): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
  } catch {
    return Infinity;
  }
}

/** Until something has happened. */
async function peakMb(child: ChildProcess, until: Promise<unknown>): Promise<number> {
  const over = new AbortController();
  void until.then(() => over.abort());
  let peak = 0;
  while (!over.signal.aborted) {
    peak = Math.max(peak, rssMb(child));
    await pause(LOOK_MS);
  }
  return peak;
}

async function run(flood: Omit<Flood, 'port'>, flags: readonly string[], cloud: Cloud): Promise<string> {
  const polled = await cloud.count();
  const daemon = await start(flags);
  const { child, port } = daemon;
  const witness = new Witness(daemon, flood.tls);
  while ((await cloud.count()) < polled + INSTANCES) await pause(LOOK_MS);
  await pause(IDLE_MS);
  const idle = rssMb(child);
  witness.reset();
  const flooding = fork(floodChild, [JSON.stringify({ ...flood, port } satisfies Flood)]);
  const peak = await peakMb(child, witness.end(FLOOD_MS));
  flooding.kill('SIGKILL');
  child.kill('SIGKILL');
  const { onNew, onKept, scrapes, missed } = witness;
  const died = peak === Infinity ? ', died' : '';
  return `${idle.toFixed(0)} -> ${peak.toFixed(0)} MB, ${(peak / idle).toFixed(2)} x; healthy ${onNew.text}, kept alive ${onKept.text}; ${missed} of ${scrapes} scrapes missed${died}`;
}

const pattern = new RegExp(process.argv[2] ?? '');
const cloud = await startCloud(1, INSTANCES, 10);
const config = `--config.file=${configFor(cloud)}`;
const security = `--web.config.file=${webConfig()}`;
console.log(`${INSTANCES} instances, ${REQUESTS} requests on each connection, 384 MB of heap: idle -> peak RSS`);
for (const tls of [false, true])
  for (const path of PATHS)
    for (const reads of [false, true])
      for (const connections of CONNECTIONS) {
        const name = `${tls ? 'https' : 'http'} ${path} ${reads ? 'read' : 'unread'} ${connections}`;
        if (!pattern.test(name)) continue;
        const flags = [config, '--log.level=info', ...(tls ? [security] : [])];
        const figures = await run({ tls, path, reads, connections, requests: REQUESTS }, flags, cloud);
        console.log(`${name.padEnd(50)} ${figures}`);
      }
cloud.stop();
rmSync(scratch, { recursive: true });
