/** What really happens to the backups of one instance, drawn from its seed; times are the simulation's milliseconds. */
import type { Outcome } from '../../dist/domain/model.js';
import { seeded } from '../helpers/random.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

export type JobMode = 'Automated' | 'Manual';
/** A job that is lost leaves every list, and no question by its id is answered any more. */
export type Fate = 'Finished' | 'Failed' | 'Lost';

export interface Job {
  readonly id: string;
  readonly mode: JobMode;
  readonly queuedAt: number;
  readonly startsAt: number;
  readonly endsAt: number;
  /** A job that has ended may stay in the listing for a while. */
  readonly listedUntil: number;
  readonly fate: Fate;
  readonly stall: { readonly from: number; readonly forMs: number };
  readonly hasProcess: boolean;
  readonly told: Told;
}

/** What the exporter has been told of a job. */
export interface Told {
  firstAt: number;
  lastAt: number;
  /** The status and the percentage last told, and when they were new. */
  words: string;
  changedAt: number;
  /** When it was told how the job ended, or for the third time that nobody knows. */
  decidedAt: number;
  outcome: Outcome | undefined;
  emptyAnswers: number;
  /** The exporter was killed before it had written down what it was told: it may know nothing of the job. */
  isDoubtful: boolean;
  /** The same of the job's last progress. */
  isProgressDoubtful: boolean;
  /** The wall clock was stepped since: what is on disk of its times is off. */
  isClockDoubtful: boolean;
}

export interface JobState {
  readonly job: Job;
  readonly status: string;
  readonly percent: number | undefined;
  readonly phase: 'queued' | 'running' | 'ended';
}

const GAP_MS = { Automated: 8 * HOUR, Manual: 16 * HOUR };
const PHASES: readonly (readonly [untilPercent: number, status: string])[] = [
  [8, 'Preparing'],
  [15, 'Waiting'],
  [92, 'Uploading'],
  [100, 'Checking'],
];

/** The jobs of one mode of one instance, one after the other, made up as time goes by. */
export class JobStream {
  readonly #mode: JobMode;
  readonly #random: () => number;
  #nextId: number;
  #next: Job;
  #jobs: Job[] = [];

  constructor(mode: JobMode, from: number, seed: number) {
    this.#mode = mode;
    this.#random = seeded(seed);
    this.#nextId = 10_000_000 + Math.floor(this.#random() * 1e9);
    this.#next = this.#draw(from);
  }

  /** Those that have begun by `now`, unless forgotten; none begins after `quietFrom`. */
  jobs(now: number, quietFrom: number): readonly Job[] {
    while (this.#next.queuedAt <= Math.min(now, quietFrom)) {
      this.#jobs.push(this.#next);
      this.#next = this.#draw(Math.max(this.#next.endsAt, this.#next.listedUntil));
    }
    return this.#jobs;
  }

  forget(isOver: (job: Job) => boolean): void {
    if (this.#jobs.some(isOver)) this.#jobs = this.#jobs.filter((job) => !isOver(job));
  }

  #draw(after: number): Job {
    const random = this.#random;
    const gapMs = -Math.log(1 - random()) * GAP_MS[this.#mode];
    const queuedAt = after + MINUTE + gapMs;
    const startsAt = queuedAt + (random() < 0.5 ? 0 : random() * 5 * MINUTE);
    const runsMs = 20 * SECOND * 270 ** random();
    const stallMs = random() < 0.04 ? HOUR + random() * 2 * HOUR : 0;
    const endsAt = startsAt + runsMs + stallMs;
    const draw = random();
    const fate = draw < 0.05 ? 'Failed' : draw < 0.08 ? 'Lost' : 'Finished';
    this.#nextId += 1 + Math.floor(random() * 1_000);
    return {
      id: String(this.#nextId),
      mode: this.#mode,
      queuedAt,
      startsAt,
      endsAt,
      listedUntil: fate !== 'Lost' && random() < 0.3 ? endsAt + random() * 30 * MINUTE : endsAt,
      fate,
      stall: { from: startsAt + random() * runsMs, forMs: stallMs },
      hasProcess: random() > 0.05,
      told: {
        firstAt: Infinity,
        lastAt: -Infinity,
        words: '',
        changedAt: Infinity,
        decidedAt: Infinity,
        outcome: undefined,
        emptyAnswers: 0,
        isDoubtful: false,
        isProgressDoubtful: false,
        isClockDoubtful: false,
      },
    };
  }
}

/** What the API knows of a job by its id. */
export function stateOf(job: Job, now: number): JobState | undefined {
  const { queuedAt, startsAt, endsAt, fate, stall, hasProcess } = job;
  if (now < queuedAt) return undefined;
  if (now < startsAt) return { job, status: 'NoStart', percent: 0, phase: 'queued' };
  if (now >= endsAt) {
    return fate === 'Lost' ? undefined : { job, status: fate, percent: fate === 'Finished' ? 125 : 40, phase: 'ended' };
  }
  const stalledMs = Math.min(Math.max(0, now - stall.from), stall.forMs);
  const percent = Math.floor((100 * (now - startsAt - stalledMs)) / (endsAt - startsAt - stall.forMs));
  const status = PHASES.find(([until]) => percent < until)?.[1] ?? 'Checking';
  return { job, status, percent: hasProcess ? percent : undefined, phase: 'running' };
}

/** What it lists without being asked for an id. */
export function listedState(job: Job, now: number): JobState | undefined {
  return now < Math.max(job.endsAt, job.listedUntil) ? stateOf(job, now) : undefined;
}

/** As it goes over the wire. */
export function wireJob({ job, status, percent, phase }: JobState, isNumber: boolean, backupId?: string): object {
  return {
    BackupJobId: isNumber ? Number(job.id) : job.id,
    BackupProgressStatus: status === 'Failed' ? 'Uploading' : status,
    ...(phase === 'queued' ? {} : { BackupStatus: status }),
    JobMode: job.mode,
    ...(percent === undefined ? {} : { Process: String(percent) }),
    TaskAction: job.mode === 'Manual' ? 'TempBackupTask' : 'NormalBackupTask',
    ...(backupId === undefined ? {} : { BackupId: backupId }),
  };
}
