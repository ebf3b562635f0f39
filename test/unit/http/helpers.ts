import { request } from 'node:http';
import type { IncomingHttpHeaders, RequestListener } from 'node:http';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { InstanceState, TrackedTask } from '../../../dist/domain/instance-state.js';
import type { BackupTask, Instance } from '../../../dist/domain/model.js';
import { createApp } from '../../../dist/http/app.js';
import type { WebParts } from '../../../dist/http/web-parts.js';
import { startServers } from '../../../dist/http/server.js';
import type { Servers, ServersOptions } from '../../../dist/http/server.js';
import type { StatusSnapshot } from '../../../dist/status/snapshot.js';
import { systemClock } from '../../../dist/clock.js';

export const NOW = Date.parse('2026-01-15T08:30:00Z');
export const MINUTE = 60_000;

export function instance(over: Partial<Instance> = {}): Instance {
  return {
    account: 'production',
    regionId: 'cn-hangzhou',
    instanceId: 'rm-bp1example01',
    name: 'billing',
    engine: 'MySQL',
    engineVersion: '8.0',
    labels: {},
    stuckAfterMs: 30 * MINUTE,
    ...over,
  };
}

export function task(over: Partial<BackupTask> = {}): BackupTask {
  return {
    backupJobId: '88120417',
    mode: 'Automated',
    backupStatus: 'Uploading',
    progressStatus: 'Uploading',
    processPercent: 62,
    taskAction: 'NormalBackupTask',
    backupId: undefined,
    unexpected: [],
    ...over,
  };
}

export function tracked(over: Partial<TrackedTask> = {}): TrackedTask {
  return {
    task: task(),
    firstSeenAt: NOW - 10 * MINUTE,
    lastProgressAt: NOW - MINUTE,
    runningSince: NOW - 10 * MINUTE,
    outcomeLookups: undefined,
    pendingCompletion: undefined,
    ...over,
  };
}

export function state(over: Partial<InstanceState> = {}): InstanceState {
  return {
    instance: instance(),
    firstSeenAt: NOW - 60 * MINUTE,
    lastPoll: { at: NOW, error: undefined },
    lastGoodPollAt: NOW,
    tasks: [],
    outcomes: {},
    countedJobs: [],
    unsupported: undefined,
    ...over,
  };
}

let version = 0;

export function snapshot(over: Partial<StatusSnapshot> = {}): StatusSnapshot {
  return {
    version: ++version,
    states: [state()],
    regions: [
      {
        account: 'production',
        regionId: 'cn-hangzhou',
        targets: 1,
        targetsNeverPolled: 0,
        targetsUnsupported: 0,
        staleAfterMs: 15 * MINUTE,
        discovery: { success: true, lastSuccessAt: NOW - MINUTE, problem: undefined },
        calls: [
          {
            action: 'DescribeBackupTasks',
            requestsPerSecond: 5,
            configuredRequestsPerSecond: 5,
            cooldown: undefined,
          },
        ],
        pollLagMs: 0,
      },
    ],
    accounts: [{ account: 'production', credentialType: 'access_key', problem: undefined }],
    skipped: [],
    exporter: {
      version: '0.1.0',
      revision: 'abc1234',
      nodeVersion: 'v20.20.0',
      startedAt: NOW - 60 * MINUTE,
      shard: { index: 0, count: 1 },
      configReload: { successful: true, lastSuccessAt: NOW - 60 * MINUTE },
      stateSaved: undefined,
    },
    now: NOW,
    toWall: (steadyMs) => steadyMs,
    nextPollAt: () => NOW + MINUTE,
    usedRequestsPerSecond: () => 0.5,
    ...over,
  };
}

function ignore(): void {}

export function parts(over: Partial<WebParts> = {}): WebParts {
  return {
    name: 'alicloud-rds-backup-exporter',
    telemetryPath: '/metrics',
    scrape: async () => ({
      status: 200,
      headers: { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' },
      body: [Buffer.from('up 1\n'), Buffer.from('down 0\n')],
      release: () => undefined,
    }),
    ready: () => ({ ready: true, reason: '' }),
    configText: () => Buffer.from('accounts: []\n'),
    snapshot: () => snapshot(),
    reload: () => [],
    reloads: () => 0,
    lifecycle: false,
    onBug: (error) => {
      throw error;
    },
    clock: systemClock(),
    log: { debug: ignore, info: ignore, warn: ignore, error: ignore },
    ...over,
  };
}

export interface TestServer {
  readonly origin: string;
  readonly port: number;
  close(): Promise<void>;
}

export async function serve(
  listener: RequestListener,
  over: Partial<ServersOptions> = {},
): Promise<TestServer & { servers: Servers }> {
  const addresses = [{ host: '127.0.0.1', port: 0 }];
  const servers = await startServers({ addresses, listener, clock: systemClock(), ...over });
  const { port } = servers.addresses[0]!;
  return { origin: `http://127.0.0.1:${port}`, port, servers, close: () => servers.close(1_000) };
}

export function serveParts(over: Partial<WebParts> = {}): Promise<TestServer> {
  return serve(createApp(parts(over)));
}

/** What a raw connection was told until the server closed it. */
export async function dialogue(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(text);
  return untilClosed(socket);
}

/** What is still told on a connection. */
export async function untilClosed(socket: Socket): Promise<string> {
  let told = '';
  socket.on('data', (chunk: Buffer) => (told += chunk.toString()));
  socket.on('error', () => undefined);
  await new Promise((resolve) => (socket.destroyed ? resolve(undefined) : socket.once('close', resolve)));
  return told;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** One request on a connection of its own; the path goes out as it is, unlike fetch's. */
export function ask(
  server: { readonly port: number },
  path: string,
  { method = 'GET', headers = {} }: { method?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port: server.port, path, method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
        }),
      );
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end();
  });
}
