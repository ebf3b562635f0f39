import { expect } from 'chai';
import type { Completion, TrackedTask } from '../../../dist/domain/instance-state.js';
import type { Outcome } from '../../../dist/domain/model.js';
import { estimatedEndAt } from '../../../dist/domain/estimate-end.js';
import { pageStateOf } from '../../../dist/domain/page-state.js';
import { MINUTE, NOW, state, task, tracked } from '../http/helpers.js';

function completion(outcome: Outcome, minutesAgo: number): Completion {
  return { outcome, at: NOW - minutesAgo * MINUTE, durationMs: undefined, backupJobId: '1', backupId: undefined };
}

const counts = { Finished: 1, Failed: 1, Unknown: 1 };
const failed = { Automated: { counts, last: { Failed: completion('Failed', 1) } } };

describe('the state of a row', () => {
  it('is unsupported before all else', () => {
    expect(pageStateOf(state({ unsupported: 'no backups', tasks: [tracked()] }), true)).to.equal('unsupported');
  });

  it('is unknown while the data is not fresh, stuck task or not', () => {
    expect(pageStateOf(state({ tasks: [tracked({ lastProgressAt: NOW - 31 * MINUTE })] }), false)).to.equal('unknown');
  });

  it('is stuck beyond the threshold as of the last good poll, not at it', () => {
    const stuckFor = (ms: number): string =>
      pageStateOf(state({ tasks: [tracked({ lastProgressAt: NOW - ms })] }), true);
    expect(stuckFor(30 * MINUTE)).to.equal('running');
    expect(stuckFor(30 * MINUTE + 1)).to.equal('stuck');
  });

  it('is running before queued, whatever failed before', () => {
    const queued = tracked({ task: task({ backupStatus: 'NoStart' }) });
    expect(pageStateOf(state({ tasks: [queued, tracked()], outcomes: failed }), true)).to.equal('running');
    expect(pageStateOf(state({ tasks: [queued], outcomes: failed }), true)).to.equal('queued');
  });

  it('is failed when the last known end of any mode was a failure', () => {
    expect(pageStateOf(state({ outcomes: failed }), true)).to.equal('failed');
    const later = { counts, last: { Finished: completion('Finished', 0.5) } };
    expect(pageStateOf(state({ outcomes: { ...failed, Manual: later } }), true)).to.equal('idle');
    const earlier = { counts, last: { Finished: completion('Finished', 2) } };
    expect(pageStateOf(state({ outcomes: { ...failed, Manual: earlier } }), true)).to.equal('failed');
  });

  it('is not cleared of a failure by an outcome that nobody knows', () => {
    const last = { Failed: completion('Failed', 2), Unknown: completion('Unknown', 1) };
    expect(pageStateOf(state({ outcomes: { Automated: { counts, last } } }), true)).to.equal('failed');
  });

  it('is failed already while the failure waits to be counted', () => {
    const ended = tracked({ task: task({ backupStatus: 'Failed' }), pendingCompletion: completion('Failed', 0) });
    expect(pageStateOf(state({ tasks: [ended] }), true)).to.equal('failed');
  });

  it('is idle otherwise', () => {
    expect(pageStateOf(state(), true)).to.equal('idle');
  });
});

describe('the time to go', () => {
  const seen = (over: Partial<TrackedTask> = {}, processPercent = 50): number | undefined => {
    const one = tracked({
      task: task({ processPercent }),
      runningSince: NOW - 4 * MINUTE,
      runningFromPercent: 10,
      lastProgressAt: NOW,
      ...over,
    });
    return estimatedEndAt(state({ tasks: [one] }), one, NOW);
  };

  it('goes on with the speed since it was first seen running', () => {
    expect(seen()).to.equal(NOW + 5 * MINUTE);
    expect(seen({ runningSince: NOW - 3 * MINUTE, lastProgressAt: NOW - MINUTE })).to.equal(NOW + 1.5 * MINUTE);
  });

  it('is not told while the speed is not known', () => {
    expect(seen({ runningFromPercent: undefined })).to.equal(undefined);
    expect(seen({ runningFromPercent: 41 })).to.equal(undefined);
    expect(seen({ runningFromPercent: 40 })).to.equal(NOW + 20 * MINUTE);
    expect(seen({ runningSince: NOW - 9_000 })).to.equal(undefined);
    expect(seen({ runningSince: undefined })).to.equal(undefined);
    expect(seen({ task: task({ processPercent: undefined }) })).to.equal(undefined);
  });

  it('is not told when the end is overdue, reached or out of sight', () => {
    expect(seen({ runningSince: NOW - 20 * MINUTE, lastProgressAt: NOW - 18 * MINUTE }, 80)).to.equal(undefined);
    expect(seen({}, 100)).to.equal(undefined);
    expect(seen({ lastProgressAt: NOW - 31 * MINUTE, runningSince: NOW - 90 * MINUTE })).to.equal(undefined);
    expect(seen({ task: task({ backupStatus: 'Finished', processPercent: 50 }) })).to.equal(undefined);
  });
});
