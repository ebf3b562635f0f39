import { unitOf } from './random.js';

/**
 * What an instance does: `steady` backs up regularly (a few of its backups fail), `failing` fails each time,
 * `stuck` begins one backup whose progress stops for good, `idle` never backs up.
 */
export type Profile = 'steady' | 'failing' | 'stuck' | 'idle';

/** How simulated time runs. */
export interface Pace {
  /** When simulated time begins, on the clock's timeline. */
  readonly epochMs: number;
  /** Simulated milliseconds for each millisecond of the clock: 60 makes a minute a second. */
  readonly timeScale: number;
  /** Simulated time from one automatic backup of an instance to the next; at least 3 hours. */
  readonly backupEveryMs: number;
}

/** An entry of Items.BackupJob, as it goes over the wire. */
export interface RawTask {
  readonly BackupJobId: string | number;
  readonly BackupProgressStatus: string;
  readonly BackupStatus?: string;
  readonly JobMode: string;
  readonly Process: string;
  readonly TaskAction: string;
  readonly BackupId?: string;
}

/** One backup, all of it known beforehand. Times are simulated milliseconds since the epoch. */
interface Job {
  readonly id: number;
  readonly mode: 'Automated' | 'Manual';
  readonly queuedAtMs: number;
  readonly begunAtMs: number;
  /** What the whole backup takes if nothing goes wrong. */
  readonly runMs: number;
  /** The part of it, in 0..1, at which it fails or sticks; 1 when it finishes. */
  readonly stopsAt: number;
  readonly endsAtMs: number;
}

const MINUTE_MS = 60_000;
const FAILING_SHARE = 0.03;
const MANUAL_SHARE = 0.25;
/** Job ids are int32 for the API: 200,000 ranges of 10,000, two for each cycle. */
const ID_RANGES = 200_000;
const IDS_OF_RANGE = 10_000;
/** Until which part of its run a task is in which state. */
const STAGES = [
  [0.1, 'Checking'],
  [0.2, 'Preparing'],
  [0.25, 'Waiting'],
] as const;

/** An instance's backups as a function of its hash, its profile and the time. */
export class Timeline {
  readonly #hash: number;
  readonly #profile: Profile;
  readonly #pace: Pace;
  /** When its cycle 0 begins; those that have something to show begin at once, the others are spread. */
  readonly #phaseMs: number;

  constructor(hash: number, profile: Profile, pace: Pace) {
    this.#hash = hash;
    this.#profile = profile;
    this.#pace = pace;
    this.#phaseMs = profile === 'steady' ? -unitOf(hash, 0) * pace.backupEveryMs : 0;
  }

  /** What the default listing shows: all that is queued or running. */
  listedAt(nowMs: number): RawTask[] {
    const atMs = this.#simulated(nowMs);
    return this.#jobsAround(atMs)
      .filter(({ queuedAtMs, endsAtMs }) => queuedAtMs <= atMs && atMs < endsAtMs)
      .map((job) => this.#entry(job, atMs));
  }

  /** The task with this id in any state; undefined before it is queued and once its end is forgotten. */
  findAt(jobId: number, nowMs: number): RawTask | undefined {
    const atMs = this.#simulated(nowMs);
    const job = this.#jobsAround(atMs).find(({ id }) => id === jobId);
    if (job === undefined || atMs < job.queuedAtMs || atMs >= job.endsAtMs + this.#pace.backupEveryMs / 2)
      return undefined;
    return this.#entry(job, atMs);
  }

  /** Every task that has ended since the epoch, oldest first: the truth, for whoever keeps books. */
  endedUntil(nowMs: number): RawTask[] {
    const atMs = this.#simulated(nowMs);
    return this.#jobsOf(0, this.#cycleAt(atMs))
      .filter(({ endsAtMs }) => endsAtMs > 0 && endsAtMs <= atMs)
      .map((job) => this.#entry(job, atMs));
  }

  #simulated(nowMs: number): number {
    return (nowMs - this.#pace.epochMs) * this.#pace.timeScale;
  }

  #cycleAt(atMs: number): number {
    return Math.floor((atMs - this.#phaseMs) / this.#pace.backupEveryMs);
  }

  /** The jobs of the cycle in force and of the one before: no backup or memory of one lasts longer. */
  #jobsAround(atMs: number): Job[] {
    const cycle = this.#cycleAt(atMs);
    return this.#jobsOf(cycle - 1, cycle);
  }

  #jobsOf(firstCycle: number, lastCycle: number): Job[] {
    if (this.#profile === 'idle') return [];
    if (this.#profile === 'stuck') return [this.#automated(0)];
    const jobs: Job[] = [];
    for (let cycle = Math.max(0, firstCycle); cycle <= lastCycle; cycle++) {
      const automated = this.#automated(cycle);
      jobs.push(automated);
      if (this.#draw(cycle, 1) < MANUAL_SHARE) jobs.push(this.#manual(cycle, automated));
    }
    return jobs;
  }

  #automated(cycle: number): Job {
    const queuedAtMs = this.#phaseMs + cycle * this.#pace.backupEveryMs;
    const begunAtMs = queuedAtMs + (1 + 5 * this.#draw(cycle, 2)) * MINUTE_MS;
    const runMs = (20 + 70 * this.#draw(cycle, 3)) * MINUTE_MS;
    const fails = this.#profile === 'failing' || this.#draw(cycle, 4) < FAILING_SHARE;
    const stopsAt = fails || this.#profile === 'stuck' ? 0.3 + 0.4 * this.#draw(cycle, 5) : 1;
    const endsAtMs = this.#profile === 'stuck' ? Infinity : begunAtMs + runMs * stopsAt;
    return { id: this.#jobId(cycle, 0), mode: 'Automated', queuedAtMs, begunAtMs, runMs, stopsAt, endsAtMs };
  }

  /** An instance runs one backup at a time: one made by hand waits for the automatic one to end. */
  #manual(cycle: number, before: Job): Job {
    const queuedAtMs = before.begunAtMs + (before.endsAtMs - before.begunAtMs) / 2;
    const runMs = (10 + 30 * this.#draw(cycle, 6)) * MINUTE_MS;
    const begunAtMs = before.endsAtMs + MINUTE_MS;
    const endsAtMs = begunAtMs + runMs;
    return { id: this.#jobId(cycle, 1), mode: 'Manual', queuedAtMs, begunAtMs, runMs, stopsAt: 1, endsAtMs };
  }

  #draw(cycle: number, salt: number): number {
    return unitOf(this.#hash, cycle * 8 + salt);
  }

  #jobId(cycle: number, nth: number): number {
    return ((this.#hash % ID_RANGES) + 1) * IDS_OF_RANGE + ((2 * cycle + nth) % IDS_OF_RANGE);
  }

  #entry(job: Job, atMs: number): RawTask {
    // The documentation says string; real answers hold numbers too.
    const common = {
      BackupJobId: this.#hash % 2 === 0 ? String(job.id) : job.id,
      JobMode: job.mode,
      TaskAction: job.mode === 'Manual' ? 'TempBackupTask' : 'NormalBackupTask',
    };
    if (atMs < job.begunAtMs) return { ...common, BackupProgressStatus: 'NoStart', Process: '0' };
    const part = Math.min((atMs - job.begunAtMs) / job.runMs, job.stopsAt);
    const stage = STAGES.find(([until]) => part < until)?.[1] ?? 'Uploading';
    const process = String(Math.floor(part * 100));
    if (atMs < job.endsAtMs) return { ...common, BackupStatus: stage, BackupProgressStatus: stage, Process: process };
    if (job.stopsAt < 1) return { ...common, BackupStatus: 'Failed', BackupProgressStatus: stage, Process: process };
    return {
      ...common,
      BackupStatus: 'Finished',
      BackupProgressStatus: 'Finished',
      // Seen in a real answer: a manual task ends beyond 100.
      Process: job.mode === 'Manual' ? '125' : '100',
      BackupId: String(job.id + 500),
    };
  }
}
