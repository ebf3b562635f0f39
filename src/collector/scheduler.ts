import pLimit from 'p-limit';
import type { LimitFunction } from 'p-limit';
import type { Clock } from '../clock.js';
import { placeKey } from '../domain/model.js';
import { isPoor } from './api-limiter.js';
import type { Caller, Gate, Queue, Taken } from './api-limiter.js';
import { Lane } from './lane.js';
import { Turns } from './priority-alternator.js';
import type { Urgency } from './priority-alternator.js';

interface Candidate {
  readonly lane: Lane;
  readonly gate: Gate;
  readonly queue: Queue;
  readonly urgency: Urgency;
}

/**
 * Lets calls in. It pulls: a caller leaves its heap only when a slot and a token are both free, and takes both at once, so
 * that nobody who is urgent ever queues behind somebody who is not.
 */
export class Scheduler {
  readonly #clock: Clock;
  readonly #lanes = new Map<string, Lane>();
  readonly #turns = new Turns();
  #concurrency: number;
  /** The bound on requests in flight. Its own queue stays empty: it is only called with a slot free. */
  readonly limit: LimitFunction;
  #held = 0;
  /** Of these, for instances that are known to fail. */
  #heldByPoor = 0;
  #wakeAt = Infinity;
  #cancelWake: () => void = () => undefined;
  #isStopped = false;

  constructor(clock: Clock, concurrency: number) {
    this.#clock = clock;
    this.#concurrency = concurrency;
    this.limit = pLimit(concurrency);
  }

  /** Requests in flight. */
  get held(): number {
    return this.#held;
  }

  set concurrency(concurrency: number) {
    this.#concurrency = concurrency;
    this.limit.concurrency = concurrency;
    this.#pump();
  }

  open(gate: Gate): void {
    const key = placeKey(gate.place);
    const lane = this.#lanes.get(key) ?? new Lane(this.#clock.now());
    lane.gates = [...lane.gates, gate];
    gate.onPrepared = () => this.#pump();
    this.#lanes.set(key, lane);
  }

  /** Whoever waits at the gate waits for good: its owner has taken its callers out. */
  close(gate: Gate): void {
    const key = placeKey(gate.place);
    const lane = this.#lanes.get(key);
    if (lane === undefined) return;
    lane.gates = lane.gates.filter((other) => other !== gate);
    if (lane.gates.length === 0) this.#lanes.delete(key);
  }

  /** Lets the caller in at its due time, or as soon after as a slot and a token are free. */
  add(gate: Gate, caller: Caller, urgency: Urgency): void {
    gate.add(caller, urgency, this.#clock.now());
    this.#pump();
  }

  /** Several at once, without looking for free slots in between. */
  addAll(gate: Gate, callers: Iterable<readonly [Caller, Urgency]>): void {
    const nowMs = this.#clock.now();
    for (const [caller, urgency] of callers) gate.add(caller, urgency, nowMs);
    this.#pump();
  }

  /** Nothing is let in any more. */
  stop(): void {
    this.#isStopped = true;
    this.#cancelWake();
  }

  #pump(): void {
    if (this.#isStopped) return;
    const nowMs = this.#clock.now();
    while (this.#held < this.#concurrency) {
      const candidate = this.#pick(nowMs);
      if (candidate === undefined) break;
      this.#letIn(candidate, nowMs);
    }
    this.#arm(nowMs);
  }

  /**
   * Lanes below their share of the slots come first; among them the urgent, then the lane that holds the fewest slots,
   * then the one that used them least of late. A lane may take what quiet ones leave of theirs, up to its share among the
   * busy, and go beyond while nobody else waits; but it leaves a slot to each lane that is quiet at the moment, so that
   * requests that hang in one region never take the last slot of the rest. Instances that are known to fail come last.
   */
  #pick(nowMs: number): Candidate | undefined {
    const candidates: Candidate[] = [];
    let poor = 0;
    const isForPoor = this.#isForPoor;
    let lanesBusy = 0;
    let lanesQuiet = 0;
    for (const lane of this.#lanes.values()) {
      const before = candidates.length;
      for (const gate of lane.gates) {
        const queue = gate.ready(nowMs, isForPoor);
        if (queue === undefined) continue;
        if (isPoor(queue)) poor++;
        candidates.push({ lane, gate, queue, urgency: queue === 'active' ? 'active' : 'idle' });
      }
      if (lane.held > 0 || candidates.length > before) lanesBusy++;
      else if (lane.isUsed) lanesQuiet++;
    }
    if (candidates.length === 0) return undefined;
    const lanes = { busy: lanesBusy, quiet: lanesQuiet };
    const healthy = poor === 0 ? candidates : candidates.filter(({ queue }) => !isPoor(queue));
    const allowed = this.#allowed(healthy, lanes, nowMs);
    if (allowed.length > 0 || poor === 0) return this.#mostUrgent(allowed, nowMs);
    const failing = candidates.filter(({ queue }) => isPoor(queue));
    return this.#mostUrgent(this.#allowed(failing, lanes, nowMs), nowMs);
  }

  /** Those of the candidates that may take a slot now. */
  #allowed(
    candidates: readonly Candidate[],
    { busy, quiet }: { readonly busy: number; readonly quiet: number },
    nowMs: number,
  ): readonly Candidate[] {
    if (candidates.length < 2 && busy + quiet < 2) return candidates;
    const share = this.#concurrency / (busy + quiet);
    const below = this.#below(share, candidates);
    // Where lanes outnumber slots, a slot held all the time is more than a share.
    const entitled = share >= 1 ? below : below.filter(({ lane }) => lane.usageAfterNext(nowMs) <= share);
    if (entitled.length > 0) return entitled;
    const reserved = Math.min(quiet, this.#concurrency >> 1);
    if (this.#concurrency - this.#held <= reserved) return [];
    const isAlone = candidates.every(({ lane }) => lane === candidates[0]?.lane);
    return isAlone ? candidates : this.#below(this.#concurrency / busy, candidates);
  }

  /** Requests that are known to fail may hang: they hold a quarter of the slots, at least one. */
  get #isForPoor(): boolean {
    return this.#heldByPoor < Math.max(1, this.#concurrency >> 2);
  }

  /** Those whose lane holds less than its share, which is at least one slot. */
  #below(share: number, candidates: readonly Candidate[]): readonly Candidate[] {
    const most = Math.max(1, Math.floor(share));
    return candidates.filter(({ lane }) => lane.held < most);
  }

  #mostUrgent(candidates: readonly Candidate[], nowMs: number): Candidate | undefined {
    if (candidates.length < 2) return candidates[0];
    const has = (urgency: Urgency): boolean => candidates.some((candidate) => candidate.urgency === urgency);
    const turn = this.#turns.next(has('active'), has('idle'));
    let best: Candidate | undefined;
    for (const candidate of candidates) {
      if (candidate.urgency === turn && (best === undefined || isBefore(candidate, best, nowMs))) best = candidate;
    }
    if (turn !== undefined) this.#turns.taken(turn, has('idle'));
    return best;
  }

  #letIn({ lane, gate, queue }: Candidate, nowMs: number): void {
    const taken = gate.take(queue, nowMs);
    if (taken === undefined) return;
    const poor = Number(isPoor(queue));
    lane.take(nowMs);
    this.#held++;
    this.#heldByPoor += poor;
    void this.limit(() => this.#attempt(gate, taken, nowMs)).then(() => {
      const endedAt = this.#clock.now();
      lane.giveBack(endedAt, endedAt - nowMs);
      this.#held--;
      this.#heldByPoor -= poor;
      this.#pump();
    });
  }

  /** Resolves, and so gives the slot back, when the caller says that its attempt has ended. */
  #attempt(gate: Gate, taken: Taken, sentAt: number): Promise<void> {
    return new Promise((release) => {
      taken.caller.granted({
        sentAt,
        done: (error) => {
          gate.answered(taken, { error, sentAt, nowMs: this.#clock.now() });
          release();
        },
      });
    });
  }

  /** One timer for the whole fleet: at the next moment at which somebody could be let in. */
  #arm(nowMs: number): void {
    let wakeAt = Infinity;
    const isForPoor = this.#isForPoor;
    if (this.#held < this.#concurrency) {
      for (const { gates } of this.#lanes.values()) {
        for (const gate of gates) {
          // Somebody who is ready now is kept waiting by the shares: a slot given back, not time, changes that.
          const readyAt = gate.readyAt(nowMs, isForPoor);
          if (readyAt > nowMs && readyAt < wakeAt) wakeAt = readyAt;
        }
      }
    }
    if (wakeAt === this.#wakeAt) return;
    this.#cancelWake();
    this.#wakeAt = wakeAt;
    if (wakeAt === Infinity) return;
    this.#cancelWake = this.#clock.after(wakeAt - nowMs, () => {
      this.#wakeAt = Infinity;
      this.#pump();
    });
  }
}

function isBefore(one: Candidate, other: Candidate, nowMs: number): boolean {
  if (one.lane.held !== other.lane.held) return one.lane.held < other.lane.held;
  if (one.lane !== other.lane) return one.lane.usage(nowMs) < other.lane.usage(nowMs);
  return one.gate.earliestDueAt < other.gate.earliestDueAt;
}
