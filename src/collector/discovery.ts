import { sleep } from '../clock.js';
import type { Clock } from '../clock.js';
import type { ApiError, ApiResult } from '../domain/model.js';
import { listInstances, listTags } from './paginate.js';
import type { Call, InstancesFilter } from './paginate.js';
import { jitteredMs, retryDelayMs } from './next-poll-delay.js';
import { select } from './selection.js';
import type { Selection, SelectionRules } from './selection.js';
import type { InstanceSource } from './ports.js';
import type { ListedInstance } from '../domain/requests.js';

/** A listing that loses more than half of at least this many targets is doubted. */
const MIN_TO_DOUBT = 10;

export interface Discovered extends Selection {
  readonly listed: readonly ListedInstance[];
  /** By instance id; empty when no tag is wanted. Tags are labels alone, the API itself filters by them. */
  readonly tags: Tags;
  /** Why the tags were not listed this time: none then, if that is denied, else those of the last time. */
  readonly tagsError: ApiError | undefined;
}

type Tags = ReadonlyMap<string, Readonly<Record<string, string>>>;

const NO_TAGS: Tags = new Map();

export interface DiscoveryOptions {
  readonly source: InstanceSource;
  /** Makes a call of DescribeDBInstances with all its repeats. */
  readonly callInstances: Call;
  /** The same of DescribeDBInstanceByTags; undefined when no tag is wanted. */
  readonly callTags: Call | undefined;
  readonly filter: Omit<InstancesFilter, 'engine'>;
  readonly rules: SelectionRules;
  readonly refreshIntervalMs: number;
  /** The part of the interval after which the second refresh comes, in (0, 1]: spreads the places. */
  readonly phase: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly signal: AbortSignal;
  /** A complete listing that is believed. */
  readonly onDiscovered: (discovered: Discovered) => void;
  /** The last complete list stays. Called for every failed refresh. */
  readonly onFailure: (error: ApiError) => void;
}

/**
 * Keeps the list of instances of one account and region. A refresh that fails, or is doubted, changes nothing. One whose
 * tags alone fail has worked: what is watched must not depend on labels.
 */
export class Discovery {
  readonly #options: DiscoveryOptions;
  #accepted: ReadonlySet<string> | undefined;
  /** How many targets the listing that is being doubted has lost. */
  #doubtedLoss: number | undefined;
  #problem: ApiError | undefined;
  #lastSuccessAt: number | undefined;
  #tags = NO_TAGS;
  #refreshes = 0;

  constructor(options: DiscoveryOptions) {
    this.#options = options;
  }

  /** Whether the first refresh has ended, either way. */
  get hasBegun(): boolean {
    return this.#refreshes > 0;
  }

  /** Whether the last refresh worked; false until the first does. */
  get success(): boolean {
    return this.#lastSuccessAt !== undefined && this.#problem === undefined;
  }

  get lastSuccessAt(): number | undefined {
    return this.#lastSuccessAt;
  }

  /** Why the last refresh failed. */
  get problem(): ApiError | undefined {
    return this.#problem;
  }

  /** Refreshes on its interval until the signal aborts. */
  async run(): Promise<void> {
    const { clock, random, refreshIntervalMs, phase, signal } = this.#options;
    let failures = 0;
    while (!signal.aborted) {
      const startedAt = clock.now();
      failures = (await this.refresh()) === undefined ? 0 : failures + 1;
      const intervalMs = this.#refreshes === 1 ? refreshIntervalMs * phase : refreshIntervalMs;
      const delayMs = failures > 0 ? retryDelayMs(intervalMs, failures) : jitteredMs(intervalMs, random);
      await sleep(clock, startedAt + delayMs - clock.now(), signal);
    }
  }

  /**
   * One refresh. The kind of what failed in it, the tags included; a doubted listing waits for the next refresh like a
   * good one.
   */
  async refresh(): Promise<ApiError['kind'] | undefined> {
    const { clock, signal, onDiscovered, onFailure } = this.#options;
    const result = await this.#list();
    if (signal.aborted) return undefined;
    this.#refreshes++;
    const problem = result.ok ? this.#doubt(result.value) : result.error;
    this.#problem = problem;
    if (problem !== undefined || !result.ok) {
      if (problem !== undefined) onFailure(problem);
      return result.ok ? undefined : result.error.kind;
    }
    this.#accepted = new Set(result.value.selected.map(({ instanceId }) => instanceId));
    this.#lastSuccessAt = clock.now();
    onDiscovered(result.value);
    return result.value.tagsError?.kind;
  }

  async #list(): Promise<ApiResult<Discovered>> {
    const { source, callInstances, callTags, filter, rules, signal } = this.#options;
    const engine = rules.engines.length === 1 ? rules.engines[0] : undefined;
    const listed = await listInstances({ source, call: callInstances, signal }, { ...filter, engine });
    if (!listed.ok) return listed;
    const tags = callTags && (await listTags({ source, call: callTags, signal }));
    if (tags?.ok === true) this.#tags = tags.value;
    else if (tags?.error.kind === 'denied') this.#tags = NO_TAGS;
    const tagsError = tags?.ok === false ? tags.error : undefined;
    return { ok: true, value: { ...select(listed.value, rules), listed: listed.value, tags: this.#tags, tagsError } };
  }

  /** A changed tag or RAM condition answers with a short list, not with an error: it takes two in a row to be believed. */
  #doubt({ selected }: Discovered): ApiError | undefined {
    const before = this.#accepted;
    const lost =
      before === undefined ? 0 : before.size - selected.filter(({ instanceId }) => before.has(instanceId)).length;
    const isDoubtful = before !== undefined && before.size >= MIN_TO_DOUBT && lost > before.size / 2;
    const isConfirmed = this.#doubtedLoss !== undefined && lost <= this.#doubtedLoss;
    this.#doubtedLoss = isDoubtful && !isConfirmed ? lost : undefined;
    if (!isDoubtful || isConfirmed) return undefined;
    return {
      kind: 'bad_response',
      code: 'TargetsVanished',
      message: `the listing lost ${lost} of ${before.size} targets: kept until the next refresh agrees`,
      requestId: undefined,
      retryAfterMs: undefined,
    };
  }
}
