import { expect } from 'chai';
import { CircuitBreaker, newSubject } from '../../../dist/collector/circuit-breaker.js';
import type { Subject } from '../../../dist/collector/circuit-breaker.js';
import type { ErrorKind } from '../../../dist/domain/model.js';
import { errorOf } from '../../helpers/build.js';

/** Sends and answers calls one after the other. */
class Calls {
  readonly cooldown: CircuitBreaker;
  readonly #subjects = new Map<string, Subject>();

  constructor(instances = 1_000) {
    this.cooldown = new CircuitBreaker(() => instances);
  }

  answer(nowMs: number, kind: ErrorKind | undefined, subject = 'rm-1'): string | undefined {
    const isProbe = this.cooldown.sent();
    const error = kind && errorOf(kind);
    return this.cooldown.answered({ subject: this.subject(subject), error, isProbe, sentAt: nowMs, nowMs });
  }

  subject(name: string): Subject {
    const known = this.#subjects.get(name) ?? newSubject();
    this.#subjects.set(name, known);
    return known;
  }
}

describe('the cool-down', () => {
  it('begins with an answer that concerns the whole account: 30 s, doubling to 10 min, over with the first success', () => {
    const calls = new Calls();
    expect(calls.answer(0, 'key_rejected')).to.equal('entered');
    const probes: number[] = [];
    for (let probe = 0; probe < 7; probe++) {
      const at = calls.cooldown.nextCallAt;
      probes.push(at / 1000);
      expect(calls.answer(at, 'key_rejected')).to.equal(undefined);
    }
    expect(probes).to.deep.equal([30, 90, 210, 450, 930, 1_530, 2_130]);
    expect(calls.answer(2_730_000, undefined)).to.equal('left');
    expect([calls.cooldown.cooling, calls.cooldown.nextCallAt, calls.cooldown.leftAt]).to.deep.equal([
      undefined,
      -Infinity,
      2_730_000,
    ]);
  });

  it('opens on the fifth denied instance while nothing works, and probes those never asked every 10 s', () => {
    const calls = new Calls(8);
    for (const n of [1, 2, 3, 4, 4, 4]) expect(calls.answer(0, 'denied', `rm-${n}`)).to.equal(undefined);
    expect(calls.answer(0, 'denied', 'rm-5')).to.equal('entered');
    const probes: number[] = [];
    for (const n of [6, 7, 8, 1, 2, 3, 4, 5, 6]) {
      probes.push(calls.cooldown.nextCallAt / 1000);
      calls.answer(calls.cooldown.nextCallAt, 'denied', `rm-${n}`);
    }
    // Once each was asked: 30 s, doubling to 10 min.
    expect(probes).to.deep.equal([10, 20, 30, 40, 100, 220, 460, 940, 1_540]);
    expect(calls.answer(calls.cooldown.nextCallAt, undefined, 'rm-1')).to.equal('left');
  });

  for (const kind of ['denied', 'timeout'] as const) {
    it(`counts the 10 s of a trial from request to request: ${kind}`, () => {
      const calls = new Calls();
      for (let n = 0; n < 5; n++) calls.answer(0, 'denied', `rm-${n}`);
      const isProbe = calls.cooldown.sent();
      const probe = { error: errorOf(kind), isProbe, sentAt: 10_000 };
      calls.cooldown.answered({ ...probe, subject: calls.subject('rm-5'), nowMs: 14_000 });
      expect(calls.cooldown.nextCallAt).to.equal(20_000);
      calls.cooldown.sent();
      calls.cooldown.answered({ ...probe, sentAt: 20_000, subject: calls.subject('rm-6'), nowMs: 45_000 });
      expect(calls.cooldown.nextCallAt).to.equal(45_000);
    });
  }

  it('is not opened by denials as long as one instance works, then by the last', () => {
    const calls = new Calls(40);
    for (let n = 0; n < 20; n++) calls.answer(0, undefined, `rm-${n}`);
    for (let n = 39; n > 0; n--) expect(calls.answer(1_000, 'denied', `rm-${n}`)).to.equal(undefined);
    expect(calls.answer(1_000, 'denied', 'rm-0')).to.equal('entered');
    expect(calls.cooldown.nextCallAt).to.equal(31_000);
  });

  it('opens on no denial once an instance has worked, though it is unreachable, until that one is denied or gone', () => {
    for (const end of ['denied', 'gone', 'reset'] as const) {
      const calls = new Calls();
      calls.answer(0, undefined);
      expect(calls.cooldown.hasWorked).to.equal(true);
      for (let n = 0; n < 4; n++) calls.answer(0, 'timeout');
      expect([calls.cooldown.good, calls.subject('rm-1').standing]).to.deep.equal([0, 'unreachable']);
      for (let n = 2; n < 40; n++) expect(calls.answer(0, 'denied', `rm-${n}`)).to.equal(undefined);
      if (end === 'denied') expect(calls.answer(0, 'denied')).to.equal('entered');
      if (end === 'gone') calls.cooldown.forget(calls.subject('rm-1'));
      if (end === 'reset') calls.cooldown.reset(0);
      expect(calls.cooldown.hasWorked).to.equal(false);
      const denials = Array.from({ length: 5 }, (_, n) => calls.answer(0, 'denied', `rm-${40 + n}`));
      expect(denials.indexOf('entered')).to.equal({ denied: -1, gone: 0, reset: 4 }[end]);
    }
  });

  it('takes none that became unreachable for evidence while a single one works', () => {
    const calls = new Calls();
    for (const n of [0, 1, 2, 3]) calls.answer(0, undefined, `rm-${n}`);
    for (const n of [1, 2, 3]) for (let miss = 0; miss < 3; miss++) calls.answer(0, 'timeout', `rm-${n}`);
    calls.answer(0, undefined, 'rm-0');
    for (let n = 0; n < 30; n++) expect(calls.answer(0, 'timeout', `rm-${1 + (n % 3)}`)).to.equal(undefined);
    expect([calls.cooldown.good, calls.cooldown.poor]).to.deep.equal([1, 3]);
    // Nor does a reset leave anything behind.
    calls.cooldown.reset(0);
    calls.answer(0, undefined, 'rm-new');
    expect(calls.cooldown.hasWorked).to.equal(true);
  });

  it('takes those that worked for evidence once all of them are unreachable, and none that never did', () => {
    const calls = new Calls();
    for (const n of [1, 2, 3]) calls.answer(0, undefined, `rm-${n}`);
    for (const n of [1, 2, 3]) for (let miss = 0; miss < 3; miss++) calls.answer(0, 'timeout', `rm-${n}`);
    calls.answer(0, 'denied', 'rm-4');
    for (const n of [1, 2, 3]) calls.answer(0, 'timeout', `rm-${n}`);
    expect([calls.cooldown.good, calls.cooldown.nextCallAt]).to.deep.equal([0, -Infinity]);
    for (let n = 5; n < 40; n++) expect(calls.answer(0, 'timeout', `rm-${n}`)).to.equal(undefined);
    const more = Array.from({ length: 7 }, (_, n) => calls.answer(0, 'timeout', `rm-${1 + (n % 3)}`));
    expect(more.indexOf('entered')).to.equal(6);
  });

  it('holds a connection that a lookup lost against nobody, yet heeds whatever else it is told', () => {
    const lookup = (calls: Calls, kind: ErrorKind | undefined): string | undefined =>
      calls.cooldown.answered({
        subject: calls.subject('rm-1'),
        isLookup: true,
        error: kind && errorOf(kind),
        isProbe: calls.cooldown.sent(),
        sentAt: 0,
        nowMs: 0,
      });
    const calls = new Calls(1);
    calls.answer(0, undefined);
    for (let n = 0; n < 30; n++) expect(lookup(calls, n % 2 ? 'timeout' : 'connection')).to.equal(undefined);
    expect(calls.subject('rm-1')).to.deep.equal({ standing: 'good', misses: 0 });
    expect([lookup(calls, 'key_rejected'), lookup(calls, undefined)]).to.deep.equal(['entered', 'left']);
  });

  it('begins anew when it is reset, and is no longer probing', () => {
    const calls = new Calls();
    for (let n = 0; n < 5; n++) calls.answer(0, 'denied', `rm-${n}`);
    calls.cooldown.sent();
    expect([calls.cooldown.epoch, calls.cooldown.reset(7_000)]).to.deep.equal([0, 'left']);
    const { epoch, cooling, nextCallAt, leftAt, poor } = calls.cooldown;
    expect([epoch, cooling, nextCallAt, leftAt, poor]).to.deep.equal([1, undefined, -Infinity, 7_000, 0]);
    expect(calls.cooldown.reset(8_000)).to.equal(undefined);
    expect(calls.cooldown.leftAt).to.equal(7_000);
  });

  it('does not wait for an instance that is gone', () => {
    const calls = new Calls(6);
    calls.answer(0, undefined, 'rm-0');
    for (let n = 1; n < 6; n++) expect(calls.answer(0, 'denied', `rm-${n}`)).to.equal(undefined);
    calls.cooldown.forget(calls.subject('rm-0'));
    expect(calls.answer(0, undefined, 'rm-0'), 'a late answer').to.equal(undefined);
    expect(calls.answer(0, 'denied', 'rm-1')).to.equal('entered');
  });

  it('lets 20 requests out while nothing works, and gives back those that decide nothing', () => {
    const calls = new Calls();
    for (let n = 0; n < 20; n++) {
      expect(calls.cooldown.nextCallAt).to.equal(-Infinity);
      calls.cooldown.sent();
    }
    expect(calls.cooldown.nextCallAt).to.equal(Infinity);
    const answer = { isProbe: false, sentAt: 0, nowMs: 1_000 };
    calls.cooldown.answered({ ...answer, subject: calls.subject('rm-1'), error: errorOf('server') });
    expect(calls.cooldown.nextCallAt).to.equal(-Infinity);
    calls.cooldown.sent();
    expect(calls.cooldown.nextCallAt).to.equal(Infinity);
    // All the others may hang: what is known by now is enough.
    expect(calls.cooldown.answered({ ...answer, subject: calls.subject('rm-2'), error: errorOf('timeout') })).to.equal(
      'entered',
    );
    expect(calls.cooldown.nextCallAt).to.equal(11_000);
  });

  it('lets everything out at the first success', () => {
    const calls = new Calls();
    for (let n = 0; n < 20; n++) calls.cooldown.sent();
    calls.cooldown.answered({ subject: calls.subject('rm-1'), error: undefined, isProbe: false, sentAt: 0, nowMs: 0 });
    for (let n = 0; n < 100; n++) calls.cooldown.sent();
    expect(calls.cooldown.nextCallAt).to.equal(-Infinity);
  });

  it('sees an outage in ten failed connections in a row of three that worked: probes at 10 s, doubling to 60 s', () => {
    const calls = new Calls();
    for (let n = 0; n < 4; n++) calls.answer(0, undefined, `rm-${n}`);
    for (const n of [0, 1, 0, 1, 0, 1, 0, 1, 2])
      expect(calls.answer(0, n % 2 ? 'timeout' : 'connection', `rm-${n}`)).to.equal(undefined);
    expect(calls.answer(0, 'connection', 'rm-2')).to.equal('entered');
    const probes: number[] = [];
    for (let probe = 0; probe < 5; probe++) {
      probes.push(calls.cooldown.nextCallAt / 1000);
      calls.answer(calls.cooldown.nextCallAt, 'timeout', probe < 2 ? 'rm-2' : 'rm-3');
    }
    expect(probes).to.deep.equal([10, 30, 70, 130, 190]);
    expect(calls.answer(250_000, 'not_found')).to.equal('left');
  });

  it('sees no outage in instances that never worked, or no longer do', () => {
    const calls = new Calls();
    for (let n = 0; n < 4; n++) calls.answer(0, undefined, `rm-${n}`);
    for (let n = 0; n < 100; n++) {
      expect(calls.answer(0, 'timeout', `rm-new-${n}`)).to.equal(undefined);
      expect(calls.answer(0, 'timeout', 'rm-0')).to.equal(undefined);
      expect(calls.answer(0, 'timeout', 'rm-1')).to.equal(undefined);
    }
    expect([calls.subject('rm-0').standing, calls.subject('rm-2').standing]).to.deep.equal(['unreachable', 'good']);
  });

  it('takes an instance that worked for unreachable after four attempts in a row, one that never did at once', () => {
    const calls = new Calls();
    calls.answer(0, undefined, 'rm-1');
    const standings = [1, 2, 3, 4].map(() => {
      calls.answer(0, 'timeout', 'rm-1');
      return calls.subject('rm-1').standing;
    });
    calls.answer(0, 'timeout', 'rm-2');
    expect([...standings, calls.subject('rm-2').standing]).to.deep.equal([
      'good',
      'good',
      'good',
      'unreachable',
      'unreachable',
    ]);
    calls.answer(0, undefined, 'rm-1');
    calls.answer(0, 'timeout', 'rm-1');
    expect(calls.subject('rm-1').standing).to.equal('good');
  });

  it('probes again after the same pause when the only one to ask is known to fail', () => {
    const calls = new Calls();
    calls.answer(0, undefined, 'rm-1');
    calls.answer(0, 'timeout', 'rm-bad');
    calls.answer(0, 'key_rejected', 'rm-1');
    calls.answer(30_000, 'timeout', 'rm-bad');
    expect(calls.cooldown.nextCallAt).to.equal(60_000);
  });

  it('is closed by a denied probe after the key is accepted again, if others work', () => {
    const calls = new Calls();
    for (const id of ['rm-1', 'rm-2']) calls.answer(0, undefined, id);
    calls.answer(0, 'key_rejected', 'rm-1');
    const straggler = {
      subject: calls.subject('rm-2'),
      error: errorOf('denied'),
      isProbe: false,
      sentAt: 0,
      nowMs: 1_000,
    };
    expect(calls.cooldown.answered(straggler)).to.equal(undefined);
    expect(calls.answer(30_000, 'denied', 'rm-2')).to.equal('left');
    calls.answer(31_000, 'key_rejected', 'rm-1');
    expect(calls.answer(61_000, 'denied', 'rm-1'), 'none works').to.equal(undefined);
    expect(calls.cooldown.nextCallAt).to.equal(121_000);
  });

  it('takes credentials that cannot be obtained for an outage: at once, probes at 10 s, doubling to 60 s', () => {
    const calls = new Calls();
    calls.answer(0, undefined, 'rm-1');
    expect(calls.answer(0, 'credentials', 'rm-1')).to.equal('entered');
    expect(calls.cooldown.cooling?.reason).to.equal('outage');
    const probes: number[] = [];
    for (let probe = 0; probe < 5; probe++) {
      probes.push(calls.cooldown.nextCallAt / 1000);
      calls.answer(calls.cooldown.nextCallAt, 'credentials', 'rm-1');
    }
    expect(probes).to.deep.equal([10, 30, 70, 130, 190]);
    expect(calls.answer(250_000, undefined, 'rm-1')).to.equal('left');
  });

  it('does not wait longer for a rejected key because no credentials could be obtained meanwhile', () => {
    const calls = new Calls();
    calls.answer(0, 'key_rejected');
    calls.answer(30_000, 'credentials');
    expect(calls.cooldown.nextCallAt).to.equal(60_000);
  });

  it('sees an outage on the only instance there is', () => {
    const calls = new Calls(1);
    for (let n = 0; n < 9; n++) calls.answer(0, 'timeout');
    expect(calls.answer(0, 'timeout')).to.equal('entered');
  });

  it('lets one probe out at a time, and no answer but the probe’s lengthens it', () => {
    const calls = new Calls();
    calls.answer(0, 'key_rejected');
    const isProbe = calls.cooldown.sent();
    expect([isProbe, calls.cooldown.nextCallAt]).to.deep.equal([true, Infinity]);
    const error = errorOf('key_rejected');
    const straggler = { subject: calls.subject('rm-2'), error, isProbe: false, sentAt: 0, nowMs: 30_500 };
    expect(calls.cooldown.answered(straggler)).to.equal(undefined);
    expect(calls.cooldown.nextCallAt).to.equal(Infinity);
    calls.cooldown.answered({ ...straggler, isProbe: true });
    expect(calls.cooldown.nextCallAt).to.equal(90_500);
  });

  it('probes again after the same pause when the answer decides nothing', () => {
    const calls = new Calls();
    calls.answer(0, 'key_rejected');
    calls.answer(30_000, 'throttled');
    expect(calls.cooldown.nextCallAt).to.equal(60_000);
  });

  it('reads each answer so, be it the last of the 20 that a trial may send', () => {
    const undecided = ['fresh', undefined, undefined, -Infinity];
    const works = ['good', undefined, undefined, -Infinity];
    const unreachable = ['unreachable', 'entered', 'outage', 10_000];
    const rejected = ['fresh', 'entered', 'authorisation', 30_000];
    const expected: Readonly<Record<ErrorKind, readonly unknown[]>> = {
      throttled: undecided,
      server: undecided,
      flaky: undecided,
      timeout: unreachable,
      connection: unreachable,
      bad_response: undecided,
      nonce: undecided,
      token_expired: undecided,
      clock: rejected,
      key_rejected: rejected,
      credentials: ['fresh', 'entered', 'outage', 10_000],
      denied: ['denied', 'entered', 'authorisation', 10_000],
      not_found: works,
      unsupported: works,
      not_now: works,
      next_token: works,
      request: works,
      held_back: undecided,
      aborted: undecided,
      bug: undecided,
    };
    const seen = (Object.keys(expected) as ErrorKind[]).map((kind) => {
      const calls = new Calls();
      expect([calls.cooldown.leftAt, calls.cooldown.good, calls.cooldown.poor]).to.deep.equal([-Infinity, 0, 0]);
      for (let n = 0; n < 19; n++) calls.cooldown.sent();
      const change = calls.answer(0, kind);
      const { cooling, nextCallAt } = calls.cooldown;
      return [kind, [calls.subject('rm-1').standing, change, cooling?.reason, nextCallAt]];
    });
    expect(Object.fromEntries(seen)).to.deep.equal(expected);
  });

  it('grants each trial 20 requests, whatever was answered before', () => {
    const outage = (calls: Calls): void => {
      for (let n = 0; n < 20; n++) calls.cooldown.sent();
      expect(calls.answer(0, 'timeout')).to.equal('entered');
      expect(calls.answer(10_000, 'server')).to.equal('left');
    };
    const success = (calls: Calls): void => {
      calls.cooldown.sent();
      calls.answer(0, undefined);
      calls.cooldown.forget(calls.subject('rm-1'));
    };
    const errors = (calls: Calls): void => {
      calls.answer(0, undefined);
      for (let n = 0; n < 3; n++) calls.answer(0, 'server');
      calls.cooldown.forget(calls.subject('rm-1'));
    };
    for (const before of [outage, success, errors]) {
      const calls = new Calls();
      before(calls);
      for (let n = 0; n < 19; n++) calls.cooldown.sent();
      expect(calls.cooldown.nextCallAt).to.equal(-Infinity);
      calls.cooldown.sent();
      expect(calls.cooldown.nextCallAt).to.equal(Infinity);
    }
  });

  it('opens on no answer that decides nothing, however many were sent', () => {
    const calls = new Calls();
    for (let n = 0; n < 30; n++) calls.cooldown.sent();
    expect(calls.answer(0, 'server')).to.equal(undefined);
  });

  it('sees no outage in one of three instances, nor in two', () => {
    const one = new Calls(3);
    // Three timed out once, then two of them were denied: a new row.
    for (const n of [1, 2, 3]) one.answer(0, 'timeout', `rm-${n}`);
    for (const n of [1, 2]) one.answer(0, 'denied', `rm-${n}`);
    for (let n = 0; n < 30; n++) expect(one.answer(0, 'timeout', 'rm-3')).to.equal(undefined);
    const two = new Calls(3);
    two.answer(0, 'denied', 'rm-1');
    for (let n = 0; n < 30; n++) expect(two.answer(0, 'timeout', `rm-${2 + (n % 2)}`)).to.equal(undefined);
  });

  it('counts each instance once in a trial', () => {
    const calls = new Calls();
    for (let n = 0; n < 15; n++) expect(calls.answer(0, 'timeout', `rm-${n % 3}`)).to.equal(undefined);
  });

  it('counts a row of failures from the last answer of the cloud, and across what never reached it', () => {
    const calls = new Calls(1);
    for (const failures of [1, 9, 9]) {
      for (let n = 0; n < failures; n++) expect(calls.answer(0, 'timeout')).to.equal(undefined);
      calls.answer(0, 'server');
    }
    for (let n = 0; n < 9; n++) expect(calls.answer(0, 'timeout')).to.equal(undefined);
    for (const kind of ['held_back', 'aborted', 'bug'] as const) calls.answer(0, kind);
    expect(calls.answer(0, 'timeout')).to.equal('entered');
    // Nor is the outage over, or the pause longer, for what never reached the cloud.
    const probes = (['held_back', 'aborted', 'bug'] as const).map((kind) => {
      expect(calls.answer(calls.cooldown.nextCallAt, kind)).to.equal(undefined);
      return calls.cooldown.nextCallAt;
    });
    expect(probes).to.deep.equal([20_000, 30_000, 40_000]);
    const straggler = { subject: calls.subject('rm-1'), isProbe: false, sentAt: 0, nowMs: 40_000 };
    expect(calls.cooldown.answered({ ...straggler, error: errorOf('connection') })).to.equal(undefined);
    expect(calls.cooldown.answered({ ...straggler, error: errorOf('server') })).to.equal('left');
  });

  it('forgets the instances and their failures when it is reset', () => {
    const calls = new Calls(3);
    calls.answer(0, undefined, 'rm-1');
    calls.answer(0, 'timeout', 'rm-2');
    calls.cooldown.reset(0);
    expect([calls.cooldown.good, calls.cooldown.poor]).to.deep.equal([0, 0]);
    // Two of three timed out and the third does.
    const again = new Calls(3);
    for (const n of [1, 2]) again.answer(0, 'timeout', `rm-${n}`);
    again.cooldown.reset(0);
    for (const n of [4, 5]) again.answer(0, 'denied', `rm-${n}`);
    for (let n = 0; n < 30; n++) expect(again.answer(0, 'timeout', 'rm-6')).to.equal(undefined);
    const only = new Calls(1);
    for (let n = 0; n < 9; n++) only.answer(0, 'timeout');
    only.cooldown.reset(0);
    for (let n = 0; n < 9; n++) expect(only.answer(0, 'timeout', 'rm-new')).to.equal(undefined);
    expect(only.answer(0, 'timeout', 'rm-new')).to.equal('entered');
  });

  it('probes after the pause although it began while the probe of the last one was under way', () => {
    const calls = new Calls();
    calls.answer(0, 'key_rejected');
    calls.cooldown.sent();
    const straggler = { subject: calls.subject('rm-1'), isProbe: false, sentAt: 0, nowMs: 31_000 };
    expect(calls.cooldown.answered({ ...straggler, error: undefined })).to.equal('left');
    expect(calls.cooldown.answered({ ...straggler, error: errorOf('key_rejected') })).to.equal('entered');
    expect(calls.cooldown.nextCallAt).to.equal(61_000);
  });

  it('is left alone by everything else that can go wrong', () => {
    const calls = new Calls(1);
    const kinds: ErrorKind[] = [
      'throttled',
      'server',
      'bad_response',
      'not_found',
      'unsupported',
      'not_now',
      'request',
      'bug',
      'aborted',
    ];
    for (let n = 0; n < 30; n++) for (const kind of kinds) expect(calls.answer(0, kind)).to.equal(undefined);
  });
});
