import { expect } from 'chai';
import { Cooldown } from '../../../dist/poll/cooldown.js';
import type { ErrorKind } from '../../../dist/model.js';
import { errorOf } from '../../helpers/build.js';

/** Sends and answers calls one after the other. */
class Calls {
  readonly cooldown: Cooldown;

  constructor(instances = 1_000) {
    this.cooldown = new Cooldown(() => instances);
  }

  answer(nowMs: number, kind: ErrorKind | undefined, subject = 'rm-1'): string | undefined {
    const isProbe = this.cooldown.sent();
    return this.cooldown.answered({ subject, error: kind && errorOf(kind), isProbe, nowMs });
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

  it('begins after denials of five different instances in a row, not before', () => {
    const calls = new Calls();
    for (const subject of ['rm-1', 'rm-2', 'rm-3', 'rm-4', 'rm-4', 'rm-4']) {
      expect(calls.answer(0, 'denied', subject)).to.equal(undefined);
    }
    calls.answer(0, undefined, 'rm-9');
    for (const subject of ['rm-1', 'rm-2', 'rm-3', 'rm-4']) calls.answer(0, 'denied', subject);
    expect(calls.cooldown.cooling).to.equal(undefined);
    expect(calls.answer(1_000, 'denied', 'rm-5')).to.equal('entered');
    expect(calls.cooldown.nextCallAt).to.equal(31_000);
  });

  it('sees an outage in ten failed connections in a row over three instances: probes at 10 s, doubling to 60 s', () => {
    const calls = new Calls();
    for (let n = 0; n < 9; n++)
      expect(calls.answer(0, n % 2 ? 'timeout' : 'connection', `rm-${n % 2}`)).to.equal(undefined);
    expect(calls.answer(0, 'connection', 'rm-1')).to.equal(undefined);
    expect(calls.answer(0, 'connection', 'rm-2')).to.equal('entered');
    const probes: number[] = [];
    for (let probe = 0; probe < 5; probe++) {
      probes.push(calls.cooldown.nextCallAt / 1000);
      calls.answer(calls.cooldown.nextCallAt, 'timeout');
    }
    expect(probes).to.deep.equal([10, 30, 70, 130, 190]);
    expect(calls.answer(250_000, 'not_found')).to.equal('left');
  });

  it('sees an outage on the only instance there is', () => {
    const calls = new Calls(1);
    for (let n = 0; n < 9; n++) calls.answer(0, 'timeout');
    expect(calls.answer(0, 'timeout')).to.equal('entered');
  });

  it('counts an answer of the cloud, even an error, as the end of a row of failures', () => {
    const calls = new Calls(1);
    for (let n = 0; n < 9; n++) calls.answer(0, 'timeout');
    calls.answer(0, 'server');
    calls.answer(0, 'timeout');
    expect(calls.cooldown.cooling).to.equal(undefined);
  });

  it('lets one probe out at a time, and no answer but the probe’s lengthens it', () => {
    const calls = new Calls();
    calls.answer(0, 'key_rejected');
    const isProbe = calls.cooldown.sent();
    expect([isProbe, calls.cooldown.nextCallAt]).to.deep.equal([true, Infinity]);
    const straggler = { subject: 'rm-2', error: errorOf('key_rejected'), isProbe: false, nowMs: 30_500 };
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
