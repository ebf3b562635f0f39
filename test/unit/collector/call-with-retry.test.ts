import { getEventListeners } from 'node:events';
import { expect } from 'chai';
import type { ApiError, ApiResult, ErrorKind } from '../../../dist/domain/model.js';
import { newSubject } from '../../../dist/collector/circuit-breaker.js';
import type { ApiLimiter, Permit } from '../../../dist/collector/api-limiter.js';
import { backoffMs, callWithRetry } from '../../../dist/collector/call-with-retry.js';
import { Scheduler } from '../../../dist/collector/scheduler.js';
import { errorOf } from '../../helpers/build.js';
import { FakeClock, settle } from '../../helpers/fake-clock.js';
import { callerOf, gateOf } from '../../helpers/gates.js';

const OK: ApiResult<string> = { ok: true, value: 'done' };
const STOPPED: ApiError = {
  kind: 'aborted',
  code: 'Aborted',
  message: 'the exporter stops',
  requestId: undefined,
  retryAfterMs: undefined,
};

/** Calls whose attempts end at once with the answers given, the last of them for good. */
class Rig {
  readonly clock = new FakeClock(0);
  readonly scheduler = new Scheduler(this.clock, 1);
  readonly stop = new AbortController();
  readonly attemptsAt: number[] = [];

  call(
    gate: ApiLimiter,
    answers: readonly (ErrorKind | ApiError | typeof OK)[],
    over: { maxAttempts?: number; permit?: Permit } = {},
  ): Promise<ApiResult<string>> {
    return callWithRetry({
      scheduler: this.scheduler,
      limiter: gate,
      clock: this.clock,
      random: () => 0,
      maxAttempts: 3,
      signal: this.stop.signal,
      subject: newSubject(),
      priority: 'idle',
      attempt: async () => {
        this.attemptsAt.push(this.clock.now());
        const answer = answers[this.attemptsAt.length - 1] ?? answers.at(-1)!;
        if (typeof answer === 'string') return { ok: false, error: errorOf(answer) };
        return 'ok' in answer ? answer : { ok: false, error: answer };
      },
      ...over,
    });
  }

  gate(over: Parameters<typeof gateOf>[0] = {}): ApiLimiter {
    const gate = gateOf(over);
    this.scheduler.open(gate);
    return gate;
  }

  get listeners(): number {
    return getEventListeners(this.stop.signal, 'abort').length;
  }
}

async function attemptsOf(...answers: readonly ErrorKind[]): Promise<number> {
  const rig = new Rig();
  const called = rig.call(rig.gate(), answers, { maxAttempts: 4 });
  await rig.clock.advance(60_000);
  expect(await called).to.deep.equal({ ok: false, error: errorOf(answers[rig.attemptsAt.length - 1] ?? answers[0]!) });
  return rig.attemptsAt.length;
}

describe('a call with its repeats', () => {
  it('repeats what is known to pass, some of it once, and nothing else', async () => {
    const expected: Readonly<Record<ErrorKind, number>> = {
      throttled: 4,
      server: 4,
      flaky: 2,
      timeout: 4,
      connection: 4,
      bad_response: 4,
      nonce: 4,
      token_expired: 2,
      clock: 1,
      key_rejected: 1,
      credentials: 1,
      denied: 1,
      not_found: 1,
      unsupported: 1,
      not_now: 1,
      next_token: 1,
      request: 1,
      held_back: 1,
      aborted: 1,
      bug: 1,
    };
    const seen: [string, number][] = [];
    for (const kind of Object.keys(expected) as ErrorKind[]) seen.push([kind, await attemptsOf(kind)]);
    expect(Object.fromEntries(seen)).to.deep.equal(expected);
    // Each kind is counted for itself.
    expect(await attemptsOf('flaky', 'token_expired', 'server', 'flaky')).to.equal(4);
    expect(await attemptsOf('flaky', 'token_expired', 'flaky', 'flaky')).to.equal(3);
  });

  it('waits 250 to 500 ms, doubling up to 20 s, or as long as the server asks', async () => {
    const attempts = [1, 2, 3, 4, 5, 6, 7, 8];
    const shortest = [250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000];
    expect(attempts.map((count) => backoffMs(count, () => 0))).to.deep.equal(shortest);
    expect(attempts.map((count) => backoffMs(count, () => 1))).to.deep.equal(shortest.map((ms) => 2 * ms));
    const rig = new Rig();
    const answers = ['server', errorOf('server', { retryAfterMs: 7_000 }), 'server', OK] as const;
    const called = rig.call(rig.gate(), answers, { maxAttempts: 5 });
    await rig.clock.advance(60_000);
    expect([await called, rig.attemptsAt]).to.deep.equal([OK, [0, 250, 7_250, 8_250]]);
    expect(rig.listeners).to.equal(0);
  });

  it('takes a slot and a token anew for each attempt, the first with the permit that it was given', async () => {
    const rig = new Rig();
    const gate = rig.gate({ limit: { requestsPerSecond: 0.125, burst: 1 } });
    const ended: (ApiError | undefined)[] = [];
    const permit = { sentAt: 0, release: (error: ApiError | undefined) => ended.push(error) };
    const called = rig.call(gate, ['server', 'server', OK], { permit });
    await rig.clock.advance(60_000);
    expect([await called, ended]).to.deep.equal([OK, [errorOf('server')]]);
    expect(rig.attemptsAt).to.deep.equal([0, 250, 8_250]);
    expect(rig.scheduler.held).to.equal(0);
  });

  it('is over when a cool-down holds it back: with what it met itself, if it was sent', async () => {
    const rig = new Rig();
    const gate = rig.gate();
    const waiting = rig.call(gate, ['server']);
    await settle();
    gate.answered(
      { waiter: callerOf(), isProbe: false, epoch: 0 },
      { error: errorOf('key_rejected'), sentAt: 0, nowMs: 0 },
    );
    await rig.clock.advance(250);
    expect(await waiting).to.deep.equal({ ok: false, error: errorOf('server') });
    const rejected = {
      ...errorOf('key_rejected'),
      kind: 'held_back',
      message: 'held back after: it failed: key_rejected',
    };
    expect(await rig.call(gate, [OK])).to.deep.equal({ ok: false, error: rejected });
    expect([rig.attemptsAt, rig.listeners]).to.deep.equal([[0], 0]);
  });

  it('tells the cool-down of each answer, and a bug from what the API says', async () => {
    const rig = new Rig();
    const changes: unknown[] = [];
    const gate = rig.gate({ onCooldown: (change) => changes.push(change) });
    await rig.call(gate, ['key_rejected']);
    expect(changes).to.deep.equal(['entered']);
    const bug = { code: 'InternalError', message: 'a bug in the exporter: oops' };
    const broken = callWithRetry({
      scheduler: rig.scheduler,
      limiter: rig.gate({ accountRegion: { account: 'b', regionId: 'cn-hangzhou' } }),
      clock: rig.clock,
      random: () => 0,
      maxAttempts: 3,
      signal: rig.stop.signal,
      subject: newSubject(),
      priority: 'idle',
      attempt: () => Promise.reject(new Error('oops')),
    });
    expect(await broken).to.deep.equal({ ok: false, error: errorOf('bug', bug) });
  });

  it('leaves the queue when the exporter stops, and starts nothing', async () => {
    const rig = new Rig();
    const gate = rig.gate({ limit: { requestsPerSecond: 1, burst: 1 } });
    await rig.call(gate, [OK]);
    const waiting = rig.call(gate, [OK]);
    expect([gate.isUsed, rig.listeners]).to.deep.equal([true, 1]);
    rig.stop.abort();
    expect(gate.isUsed).to.equal(false);
    expect(await waiting).to.deep.equal({ ok: false, error: STOPPED });
    await rig.clock.advance(60_000);
    const late = rig.call(gate, [OK]);
    expect([await late, gate.isUsed]).to.deep.equal([{ ok: false, error: STOPPED }, false]);
    expect([rig.attemptsAt, rig.listeners]).to.deep.equal([[0], 0]);
  });

  it('waits for no repeat when the exporter stops', async () => {
    const rig = new Rig();
    const called = rig.call(rig.gate(), ['server']);
    await settle();
    rig.stop.abort();
    expect(await called).to.deep.equal({ ok: false, error: errorOf('server') });
    expect([rig.attemptsAt, rig.clock.pendingTimers]).to.deep.equal([[0], 0]);
  });
});
