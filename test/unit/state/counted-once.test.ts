import { expect } from 'chai';
import fc from 'fast-check';
import { applyLookup, applyPoll, newInstanceState } from '../../../dist/domain/apply-poll.js';
import { pendingJobIds } from '../../../dist/domain/activity.js';
import { readRecord, writeRecord } from '../../../dist/state/record.js';
import type { InstanceState } from '../../../dist/domain/instance-state.js';
import { instanceKey } from '../../../dist/domain/model.js';
import type { BackupTask } from '../../../dist/domain/model.js';
import { errorOf, instanceOf, taskOf } from '../../helpers/build.js';
import { FakeClock } from '../../helpers/fake-clock.js';
import { cases } from '../../helpers/cases.js';

const MODES = ['Automated', 'Manual'] as const;
const INTERVAL_MS = 30_000;

/** One job's true course, in polls: queued, running, then ended and perhaps lingering in the listing for a while. */
const job = fc.record({
  from: fc.nat(20),
  queued: fc.nat(3),
  runs: fc.integer({ min: 1, max: 8 }),
  lingers: fc.nat(6),
  mode: fc.constantFrom(...MODES),
  outcome: fc.constantFrom('Finished', 'Failed'),
});
type Job = typeof job extends fc.Arbitrary<infer T> ? T : never;

/** What goes wrong with one poll. */
const mishap = fc.constantFrom(
  'none',
  'none',
  'none',
  'failure',
  'lost answer',
  'listing without it',
  'kill',
  'scrape',
  'unsaved',
);

function courseAt(given: Job, id: string, poll: number): { listed: boolean; task: BackupTask | undefined } {
  const { from, queued, runs, lingers, mode, outcome } = given;
  const age = poll - from;
  if (age < 0) return { listed: false, task: undefined };
  if (age < queued)
    return { listed: true, task: taskOf(id, { mode, backupStatus: undefined, progressStatus: 'NoStart' }) };
  if (age < queued + runs) return { listed: true, task: taskOf(id, { mode, processPercent: age }) };
  return {
    listed: age < queued + runs + lingers,
    task: taskOf(id, { mode, backupStatus: outcome, backupId: `9${id}` }),
  };
}

function countsOf(state: InstanceState): number[] {
  return MODES.flatMap((mode) => Object.values(state.outcomes[mode]?.counts ?? { Finished: 0, Failed: 0, Unknown: 0 }));
}

function killed(state: InstanceState, clock: FakeClock): InstanceState {
  const record = writeRecord({ state, goneAt: null }, clock);
  const { state: kept } = readRecord(instanceKey(state.instance), record, clock);
  return { ...kept, instance: state.instance };
}

describe('each job', () => {
  it('is counted once, with its outcome, under any interleaving of listings, answers, failures, kills and states that cannot be saved', () => {
    fc.assert(
      fc.property(
        fc.array(job, { minLength: 1, maxLength: 6 }),
        fc.array(mishap, { minLength: 40, maxLength: 60 }),
        (jobs, mishaps) => {
          const clock = new FakeClock(0);
          const seen = new Set<number>();
          let state = newInstanceState(instanceOf('rm-1'), 0);
          let lastScrapeMs: number | undefined;
          // Quiet polls at the end let every outcome settle.
          for (const [poll, what] of [...mishaps, ...Array.from({ length: 20 }, () => 'scrape')].entries()) {
            const nowMs = (poll + 1) * INTERVAL_MS;
            if (what === 'kill') state = killed(state, clock);
            if (what === 'scrape') lastScrapeMs = nowMs - 1;
            const context = { nowMs, activeIntervalMs: INTERVAL_MS, lastScrapeMs, canPersist: what !== 'unsaved' };
            const before = countsOf(state);
            if (what === 'failure') {
              state = applyPoll(state, { ok: false, error: errorOf('server') }, context).state;
            } else {
              const truth = jobs.map((given, n) => courseAt(given, `${n + 1}`, poll));
              const tasks = truth.flatMap(({ listed, task }) =>
                listed && task && what !== 'listing without it' ? [task] : [],
              );
              for (const { backupJobId } of tasks) seen.add(Number(backupJobId) - 1);
              state = applyPoll(state, { ok: true, tasks }, context).state;
              for (const backupJobId of pendingJobIds(state, nowMs)) {
                const result =
                  what === 'lost answer'
                    ? ({ ok: false, error: errorOf('timeout') } as const)
                    : ({ ok: true, value: truth[Number(backupJobId) - 1]?.task } as const);
                state = applyLookup(state, { backupJobId, result }, context).state;
              }
            }
            for (const [index, count] of countsOf(state).entries()) {
              if (what === 'unsaved') expect(count).to.equal(before[index]);
              else expect(count).to.be.at.least(before[index]!);
            }
          }
          for (const mode of MODES) {
            for (const outcome of ['Finished', 'Failed'] as const) {
              const wanted = jobs.filter(
                (given, n) => seen.has(n) && given.mode === mode && given.outcome === outcome,
              ).length;
              expect(state.outcomes[mode]?.counts[outcome] ?? 0, `${mode} ${outcome}`).to.equal(wanted);
            }
            expect(state.outcomes[mode]?.counts.Unknown ?? 0).to.equal(0);
          }
        },
      ),
      { numRuns: cases(300) },
    );
  });
});
