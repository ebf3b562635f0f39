import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../clock.js';
import type { Answer, ApiSettings } from './api.js';
import { answerCall } from './api.js';
import type { Call } from './call.js';
import { Faults } from './faults.js';
import { SimulatedFleet } from './fleet.js';
import type { AccessKey } from './gateway.js';
import { Gateway } from './gateway.js';
import { generateInstances } from './instances.js';
import { Listener } from './listener.js';
import { Quota } from './quota.js';
import type { QuotaLimits } from './quota.js';
import { hashOf } from './random.js';
import { refusal } from './refusal.js';
import { replyOf, send } from './reply.js';
import { readRequest } from './request.js';
import { Stats } from './stats.js';
import type { Profile } from './timeline.js';

export interface SimulatorOptions {
  readonly clock: Clock;
  /** The same seed gives the same fleet, tasks and faults. */
  readonly seed?: string;
  /** `name` is the account that owns instances. */
  readonly accounts: readonly (Omit<AccessKey, 'account'> & { readonly name: string })[];
  /** Each gets an endpoint of its own, since DescribeBackupTasks names no region. */
  readonly regions: readonly string[];
  /** How many to make up, spread over accounts and regions; none unless given. */
  readonly instances?: number;
  /** What all of them do; a mixture unless given. */
  readonly profile?: Profile;
  /** Simulated time against the clock's; 1 unless given. */
  readonly timeScale?: number;
  /** Simulated time from one backup of an instance to its next; a day unless given. */
  readonly backupEveryMs?: number;
  readonly latencyMs?: number;
  /** Of the first region; the others follow. Any free ports unless given. */
  readonly port?: number;
  readonly quota?: QuotaLimits;
  /** Keeps every call for `stats.calls`. */
  readonly recordCalls?: boolean;
}

/** A running RDS API. Everything about it can be changed while it runs. */
export interface Simulator {
  /** The endpoint of the first region. */
  readonly url: string;
  /** Endpoints by region id. */
  readonly endpoints: Readonly<Record<string, string>>;
  readonly fleet: SimulatedFleet;
  readonly faults: Faults;
  readonly stats: Stats;
  readonly settings: ApiSettings;
  addKey(key: AccessKey): void;
  removeKey(accessKeyId: string): void;
  setQuota(limits: QuotaLimits | undefined): void;
  /** Refuses connections, in one region or in all, and cuts those that are open. */
  disconnect(regionId?: string): Promise<void>;
  /** Listens again where it did. */
  reconnect(regionId?: string): Promise<void>;
  close(): Promise<void>;
}

const DAY_MS = 86_400_000;

export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const { clock, seed = 'seed', regions, timeScale = 1, backupEveryMs = DAY_MS } = options;
  const accounts = options.accounts.map(({ name }) => name);
  const fleet = new SimulatedFleet(seed, { epochMs: clock.now(), timeScale, backupEveryMs });
  const plan = { seed, accounts, regions, count: options.instances ?? 0, profile: options.profile };
  for (const instance of generateInstances(plan)) fleet.addInstance(instance);

  const gateway = new Gateway();
  for (const { name, ...key } of options.accounts) gateway.addKey({ account: name, ...key });
  const quota = options.quota && new Quota(options.quota);
  const settings: ApiSettings = { latencyMs: options.latencyMs ?? 0, tokenPaging: true, quota };
  const cloud: Cloud = {
    clock,
    fleet,
    gateway,
    settings,
    faults: new Faults(seed),
    stats: new Stats({ record: options.recordCalls ?? false }),
    nextRequestId: requestIds(seed),
  };
  const listeners = new Map<string, Listener>();
  for (const [index, regionId] of regions.entries()) {
    const port = options.port === undefined ? 0 : options.port + index;
    listeners.set(
      regionId,
      await Listener.open(port, (incoming, response) => void serve(cloud, regionId, { incoming, response })),
    );
  }
  return control(cloud, listeners);
}

function control(
  { fleet, faults, stats, settings, gateway }: Cloud,
  listeners: ReadonlyMap<string, Listener>,
): Simulator {
  const endpoints = Object.fromEntries([...listeners].map(([regionId, { url }]) => [regionId, url]));
  const chosen = (regionId: string | undefined): Listener[] =>
    [...listeners].filter(([id]) => regionId === undefined || id === regionId).map(([, listener]) => listener);
  const disconnect = async (regionId?: string): Promise<void> => {
    await Promise.all(chosen(regionId).map((listener) => listener.close()));
  };
  return {
    url: Object.values(endpoints)[0] ?? '',
    endpoints,
    fleet,
    faults,
    stats,
    settings,
    addKey: (key) => gateway.addKey(key),
    removeKey: (accessKeyId) => gateway.removeKey(accessKeyId),
    setQuota: (limits) => {
      settings.quota = limits && new Quota(limits);
    },
    disconnect,
    reconnect: async (regionId) => {
      await Promise.all(chosen(regionId).map((listener) => listener.listen()));
    },
    close: () => disconnect(),
  };
}

interface Cloud {
  readonly clock: Clock;
  readonly fleet: SimulatedFleet;
  readonly gateway: Gateway;
  readonly faults: Faults;
  readonly stats: Stats;
  readonly settings: ApiSettings;
  readonly nextRequestId: () => string;
}

interface Exchange {
  readonly incoming: IncomingMessage;
  readonly response: ServerResponse;
}

async function serve(cloud: Cloud, regionId: string, { incoming, response }: Exchange): Promise<void> {
  let answer: Answer;
  try {
    answer = await answerTo(cloud, regionId, { incoming, response });
  } catch {
    // The client went away while it was sending.
    response.destroy();
    return;
  }
  cloud.stats.answered(codeOf(answer));
  const context = {
    requestId: cloud.nextRequestId(),
    host: incoming.headers.host ?? '',
    latencyMs: cloud.settings.latencyMs,
  };
  send(cloud.clock, response, replyOf(answer, context));
}

async function answerTo(cloud: Cloud, regionId: string, { incoming, response }: Exchange): Promise<Answer> {
  const { clock, gateway, stats } = cloud;
  const request = await readRequest(incoming);
  if (request === undefined) return { result: refusal('InvalidApi.NotFound'), fault: undefined };
  const admitted = gateway.admit(request, clock.toWall(clock.now()));
  if (!('account' in admitted)) return { result: admitted, fault: undefined };
  const action = String(incoming.headers['x-acs-action']);
  const call: Call = { account: admitted.account, regionId, action, parameters: request.parameters };
  response.once('close', stats.begin(call, clock.now()));
  return answerCall(cloud, call);
}

function codeOf({ result, fault }: Answer): string {
  if (fault !== undefined && fault.kind !== 'delay') return 'Fault';
  return 'code' in result ? result.code : 'OK';
}

/** In the shape of the real ones, and told apart by a count. */
function requestIds(seed: string): () => string {
  const head = hashOf(seed).toString(16).toUpperCase().padStart(8, '0');
  let count = 0;
  return () => `${head}-0000-5000-8000-${(++count).toString(16).toUpperCase().padStart(12, '0')}`;
}
