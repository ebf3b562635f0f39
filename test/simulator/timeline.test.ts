import { expect } from 'chai';
import type { Pace, RawTask } from '../../dist/simulator/timeline.js';
import { Timeline } from '../../dist/simulator/timeline.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const pace: Pace = { epochMs: 1_000_000, timeScale: 1, backupEveryMs: 24 * HOUR_MS };

/** The times, by the minute, at which the listing changes its words, and the words. */
function changes(timeline: Timeline, hours: number): string[] {
  const seen: string[] = [];
  let before = '';
  for (let minute = 0; minute < hours * 60; minute++) {
    const words = timeline
      .listedAt(pace.epochMs + minute * MINUTE_MS)
      .map(wordsOf)
      .join(', ');
    if (words !== before) seen.push(`${minute}: ${words || '-'}`);
    before = words;
  }
  return seen;
}

function wordsOf({ JobMode, BackupStatus, BackupProgressStatus }: RawTask): string {
  return `${JobMode} ${BackupStatus ?? `(${BackupProgressStatus})`}`;
}

describe('the timeline of a simulated instance', () => {
  it('queues a backup, runs it through its states and drops it when it ends', () => {
    expect(changes(new Timeline(2, 'failing', pace), 24)).to.deep.equal([]);
  });

  it('says the same for the same inputs, whatever was asked before', () => {
    const one = new Timeline(77, 'steady', pace);
    const times = Array.from({ length: 200 }, (_, index) => pace.epochMs + ((index * 7919) % 2880) * MINUTE_MS);
    const asked = times.map((time) => one.listedAt(time));
    const other = new Timeline(77, 'steady', pace);
    expect(
      times
        .toReversed()
        .map((time) => other.listedAt(time))
        .toReversed(),
    ).to.deep.equal(asked);
  });

  it('runs faster by the factor of its pace', () => {
    const fast = new Timeline(77, 'steady', { ...pace, timeScale: 60 });
    const slow = new Timeline(77, 'steady', pace);
    for (let second = 0; second < 2880; second += 5) {
      expect(fast.listedAt(pace.epochMs + second * 1000)).to.deep.equal(slow.listedAt(pace.epochMs + second * 60_000));
    }
  });
});
