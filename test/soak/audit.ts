/** Compares an exposition with the truth. */
import { OUTCOMES } from '../../dist/domain/model.js';
import type { Api } from './api.js';
import { PLACES } from './cloud.js';
import type { Cloud, CloudPlace, Listing, TrueInstance } from './cloud.js';
import type { Faults } from './faults.js';
import type { Job, JobMode, JobState } from './jobs.js';
import { Page } from './page.js';
import type { InstancePage } from './page.js';
import type { Settings } from './settings.js';

const MINUTE = 60_000;
/** Of the milliseconds that the exposition rounds to. */
const ROUNDING_MS = 1;
/** What a failing call can add to a poll. */
const LONGEST_POLL_MS = 20 * MINUTE;
/** The longest effect of a fault that is over: an instance that was denied is asked again within an hour. */
const CALM_MS = 75 * MINUTE;
const JOB_MODES: readonly JobMode[] = ['Automated', 'Manual'];

export interface Moment {
  readonly cloud: Cloud;
  readonly api: Api;
  readonly faults: Faults;
  readonly settings: Settings;
  readonly now: number;
  /** What the wall clock shows beyond the simulation's time. */
  readonly wallOffsetMs: number;
  /** Since when the exporter runs with these settings. */
  readonly settledSince: number;
  readonly onViolation: (what: string) => void;
}

/** What an audit met, so that a run can tell that it met everything. */
export interface Met {
  running: number;
  pending: number;
  stuck: number;
  stale: number;
  unpolled: number;
  failing: number;
}

export class Audit {
  readonly page: Page;
  readonly met: Met = { running: 0, pending: 0, stuck: 0, stale: 0, unpolled: 0, failing: 0 };
  readonly #moment: Moment;

  constructor(text: string, moment: Moment) {
    this.page = new Page(text);
    this.#moment = moment;
  }

  run(): void {
    for (const place of PLACES) this.#place(place);
    this.#exporter();
  }

  /** When nothing happens any more: every job that the exporter could know of has been counted, once. */
  runAtEnd(): void {
    this.run();
    const { cloud, now } = this.#moment;
    for (const instance of cloud.instances.values()) {
      const shown = this.page.instance(instance.place, instance.id);
      if (shown !== undefined && cloud.targetOf(instance) !== undefined) this.#counted(instance, shown);
      for (const { id, told } of instance.jobs(now, -Infinity)) {
        const isOpen = told.firstAt !== Infinity && told.outcome === undefined;
        if (isOpen && !told.isDoubtful) this.#wrong(instance, `job ${id} was never asked for until it was decided`);
      }
    }
  }

  #counted({ id, decided, doubtful }: TrueInstance, shown: InstancePage): void {
    for (const mode of JOB_MODES) {
      for (const outcome of OUTCOMES) {
        const value = completed(shown, mode, outcome) ?? 0;
        const [most, least] = [decided[mode][outcome], decided[mode][outcome] - doubtful[mode][outcome]];
        if (value < least || value > most) {
          this.#moment.onViolation(`${id}: ${value} ${mode} jobs are counted ${outcome}, not ${least} to ${most}`);
        }
      }
    }
  }

  #place(place: CloudPlace): void {
    const { cloud, settings, onViolation } = this.#moment;
    const targets = cloud.targets.get(place.name) ?? new Map<string, string>();
    const prefix = `${place.name}/`;
    const shownIds = [...this.page.instances.keys()].filter((key) => key.startsWith(prefix));
    for (const key of shownIds) {
      if (!targets.has(key.slice(prefix.length))) onViolation(`${key} is shown but is no target`);
    }
    const where = { account: place.account, region_id: place.regionId };
    const count = this.page.ownValue('targets', where);
    if (count !== (settings.without === place.name ? undefined : targets.size)) {
      onViolation(`${place.name} shows ${count} targets, not ${targets.size}`);
    }
    const staleAfterMs = 1000 * (this.page.ownValue('stale_after_seconds', where) ?? NaN);
    for (const [id, description] of targets) {
      const shown = this.page.instance(place, id);
      const name = shown?.all('instance_info')[0]?.labels['name'];
      if (name !== description) onViolation(`${id} is shown as ${name}, not as ${description}`);
      const instance = cloud.instances.get(id);
      if (shown !== undefined && instance !== undefined) this.#instance(instance, shown, staleAfterMs);
    }
    this.#requests(place);
  }

  #instance(instance: TrueInstance, shown: InstancePage, staleAfterMs: number): void {
    const { now } = this.#moment;
    const at = this.#time(shown.value('instance_last_poll_success_timestamp_seconds'));
    const listing = instance.listings.findLast((one) => at !== undefined && one.at <= at + ROUNDING_MS);
    this.#polled(instance, shown, at);
    this.#counters(instance, shown);
    this.#times(instance, shown);
    const isShown = shown.families.some((family) => family === 'tasks' || family.startsWith('task_'));
    if (at === undefined) {
      this.met.unpolled++;
      if (isShown) this.#wrong(instance, 'shows tasks without a poll');
      return;
    }
    if (listing === undefined) return this.#wrong(instance, 'claims a poll that never was');
    const ageMs = now - at;
    if (Math.abs(ageMs - staleAfterMs) <= 2 * ROUNDING_MS) return;
    if (ageMs > staleAfterMs) {
      this.met.stale++;
      if (isShown) this.#wrong(instance, `shows tasks as of ${ageMs / 1000} s ago`);
      return;
    }
    for (const mode of JOB_MODES) this.#tasks({ instance, shown, mode, listing, at });
  }

  #polled(instance: TrueInstance, shown: InstancePage, at: number | undefined): void {
    const { now, faults, settledSince, settings } = this.#moment;
    const polledWithinMs = 3 * settings.idleMinutes * MINUTE;
    const success = shown.value('instance_poll_success');
    if (success === undefined && at !== undefined) this.#wrong(instance, 'has a good poll, yet no poll_success');
    if (success === 1 && at === undefined) this.#wrong(instance, 'shows success without a poll');
    if (success === 0) this.met.failing++;
    if (success === 0 && instance.failedAt < (at ?? instance.watchedSince) - ROUNDING_MS) {
      this.#wrong(instance, 'shows a failed poll, yet no answer failed');
    }
    const last = instance.listings.at(-1);
    if (last !== undefined && last.at < now - LONGEST_POLL_MS && (at ?? -Infinity) < last.at - ROUNDING_MS) {
      this.#wrong(instance, 'has not taken in its last poll');
    }
    const begun = Math.max(instance.watchedSince, settledSince);
    const isSettled = faults.isCalm(instance.place, now, CALM_MS) && now - begun > polledWithinMs;
    // Noise may strike a poll, and the next comes an interval later.
    if (isSettled && now - Math.max(at ?? -Infinity, instance.failedAt) > polledWithinMs) {
      this.#wrong(instance, `was last polled at ${at} although nothing is wrong with its region`);
    }
  }

  #counters(instance: TrueInstance, shown: InstancePage): void {
    for (const mode of JOB_MODES) {
      const values = OUTCOMES.map((outcome) => completed(shown, mode, outcome));
      const known = values.filter((value) => value !== undefined).length;
      if (known !== 0 && known !== OUTCOMES.length) this.#wrong(instance, `shows a part of the ${mode} counters`);
      for (const [index, outcome] of OUTCOMES.entries()) {
        const value = values[index] ?? 0;
        const key = `${mode} ${outcome}`;
        const before = instance.shown.get(key) ?? 0;
        const most = instance.decided[mode][outcome];
        if (value > most) this.#wrong(instance, `counts ${value} ${key} jobs of ${most}`);
        if (value < before) this.#wrong(instance, `counted ${before} ${key} jobs before, now ${value}`);
        instance.shown.set(key, value);
      }
    }
  }

  /** Nothing lies in the future, and nothing took less than no time. */
  #times(instance: TrueInstance, shown: InstancePage): void {
    const { now } = this.#moment;
    for (const family of shown.families) {
      for (const { value } of shown.all(family)) {
        const isFuture = family.endsWith('_timestamp_seconds') && this.#time(value)! > now + ROUNDING_MS;
        if (isFuture || value < 0) this.#wrong(instance, `shows ${family} ${value}`);
      }
    }
  }

  #tasks({ instance, shown, mode, listing, at }: Shown): void {
    const { now, faults } = this.#moment;
    const listed = listing.states.filter(({ job }) => job.mode === mode);
    const open = listed.filter(({ phase }) => phase !== 'ended').length;
    const isListed = (job: Job): boolean => listed.some((state) => state.job === job);
    const others = instance
      .jobs(now, -Infinity)
      .filter((job) => job.mode === mode && job.told.firstAt <= listing.at && !isListed(job));
    // Lookups come after the listing: one that has decided since may be taken in already.
    const pending = others.filter(({ told }) => told.decidedAt > at + ROUNDING_MS);
    const undecided = pending.filter(({ told }) => told.outcome === undefined && !told.isDoubtful);
    // An end that could not be stored is not shown: the task stays as it was.
    const isUnstored = others.some(({ told }) => told.decidedAt >= (faults.unsavedSince(at) ?? Infinity));
    const isDoubtful = isUnstored || listing.at < instance.doubtfulUntil;
    const least = open + (isDoubtful ? 0 : undecided.length);
    const most = open + (isDoubtful ? others.length : pending.length);
    const value = shown.value('tasks', mode);
    if (value === undefined || value < least || value > most) {
      this.#wrong(instance, `shows ${value} ${mode} tasks, not ${least} to ${most}`);
    }
    this.met.pending += pending.length;
    const state = listed[0];
    if (state !== undefined && pending.length === 0 && !isDoubtful)
      this.#task({ instance, shown, mode, listing, at }, state);
    if (state === undefined && pending.length === 0 && !isDoubtful) this.#noTask(instance, shown, mode);
    for (const { labels } of shown.all('task_info', mode)) {
      const isKnown = [...listed.map(({ job }) => job), ...others].some(({ id }) => id === labels['backup_job_id']);
      if (!isKnown) this.#wrong(instance, `names a job that is none: ${labels['backup_job_id']}`);
    }
  }

  /** One that has ended may stay for a moment, until its counter was scraped at 0. */
  #noTask(instance: TrueInstance, shown: InstancePage, mode: JobMode): void {
    const status = shown.state('task_status', mode);
    const isOver = status === undefined || status === 'Finished' || status === 'Failed';
    if (!isOver) this.#wrong(instance, `shows a ${mode} task ${status} that is none`);
  }

  #task({ instance, shown, mode, listing, at }: Shown, { job, status, percent, phase }: JobState): void {
    const { settings } = this.#moment;
    const told = shown.state('task_status', mode);
    if (told !== status) this.#wrong(instance, `shows the status ${told}, not ${status}`);
    const ratio = shown.value('task_progress_ratio', mode);
    if (ratio !== (percent === undefined ? undefined : Math.min(1, percent / 100))) {
      this.#wrong(instance, `shows a progress of ${ratio}, not ${percent} %`);
    }
    const stuckAfter = shown.value('task_stuck_after_seconds', mode);
    if (stuckAfter !== (phase === 'running' ? 60 * settings.stuckAfterMinutes : undefined)) {
      this.#wrong(instance, `shows ${stuckAfter} s to be stuck after of a task that is ${phase}`);
    }
    const { changedAt, isProgressDoubtful } = job.told;
    const progressAt = this.#time(shown.value('task_last_progress_timestamp_seconds', mode)) ?? NaN;
    if (phase === 'running') {
      this.met.running++;
      if (at - progressAt > 1000 * (stuckAfter ?? NaN)) this.met.stuck++;
    }
    if (isProgressDoubtful || changedAt > listing.at) return;
    const latest = changedAt === listing.at ? at : Math.min(listing.at, changedAt + LONGEST_POLL_MS);
    if (!(progressAt >= changedAt - ROUNDING_MS && progressAt <= latest + ROUNDING_MS)) {
      this.#wrong(instance, `shows its last progress at ${progressAt}; it was told at ${changedAt}`);
    }
  }

  #requests({ name, account, regionId }: CloudPlace): void {
    const { api, onViolation } = this.#moment;
    for (const [key, { count, inFlight, givenUp }] of api.sent) {
      if (!key.startsWith(`${name} `)) continue;
      const action = key.slice(name.length + 1);
      const shown = this.page.ownValue('api_requests_total', { account, region_id: regionId, action }) ?? NaN;
      if (!(shown <= count && shown >= count - inFlight - givenUp)) {
        onViolation(`${key}: ${shown} requests are shown, ${count} were sent`);
      }
    }
  }

  #exporter(): void {
    const { faults, now, onViolation } = this.#moment;
    const odd = this.page.own.filter(({ name, value }) => name.endsWith('unexpected_values_total') && value !== 0);
    if (odd.length > 0) onViolation(`unexpected values of ${JSON.stringify(odd)}`);
    const isSaved = this.page.ownValue('state_last_save_successful');
    if (isSaved !== 1 && faults.unsavedSince(now) === undefined) onViolation(`the state is not saved: ${isSaved}`);
  }

  #time(seconds: number | undefined): number | undefined {
    return seconds === undefined ? undefined : seconds * 1000 - this.#moment.wallOffsetMs;
  }

  #wrong({ id, place }: TrueInstance, what: string): void {
    this.#moment.onViolation(`${place.name} ${id} ${what}`);
  }
}

interface Shown {
  readonly instance: TrueInstance;
  readonly shown: InstancePage;
  readonly mode: JobMode;
  /** The listing that the exporter has taken in last, and when. */
  readonly listing: Listing;
  readonly at: number;
}

function completed(shown: InstancePage, mode: string, outcome: string): number | undefined {
  return shown.all('completed_tasks_total', mode).find(({ labels }) => labels['outcome'] === outcome)?.value;
}
