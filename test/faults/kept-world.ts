import { FakeClock } from '../helpers/fake-clock.js';
import { eventually } from '../helpers/program.js';
import { ACCOUNT, ROLES, SICK, WELL, idOf, startCloud } from './cloud.js';
import type { Cloud, Role } from './cloud.js';
import { Disk } from './disk.js';
import { Exporter } from './exporter.js';
import type { Labels, Page } from './page.js';
import { Volume } from './state-faults.js';
import { cloudClock } from './world.js';

export const REGIONS = [WELL, SICK];
export const INSTANCES = REGIONS.length * ROLES.length;

export function of(regionId: string, role: Role): Labels {
  return { account: ACCOUNT, region_id: regionId, instance_id: idOf(regionId, role) };
}

/** What is counted of the backup that ends in a region. */
export function finished(page: Page, regionId: string): number | undefined {
  return page.value('completed_tasks_total', {
    ...of(regionId, 'ending'),
    mode: 'Automated',
    outcome: 'Finished',
  });
}

/** Whether every instance is polled and the running backups stand at this. */
export function isAt(page: Page, ratio: number): boolean {
  const polls = page.all('instance_poll_success');
  return (
    polls.length === INSTANCES &&
    polls.every(({ value }) => value === 1) &&
    REGIONS.every((regionId) => page.value('task_progress_ratio', of(regionId, 'running')) === ratio)
  );
}

export function isSaved(page: Page): number | undefined {
  return page.value('exporter_state_last_save_successful');
}

/** Exporters that follow one another on the same state. */
export class KeptWorld {
  readonly clock: FakeClock;
  readonly cloud: Cloud;
  readonly volume: Volume;
  readonly #disk = new Disk();
  /** The one that runs, or ran last. */
  exporter!: Exporter;
  #running: Exporter | undefined;

  private constructor(clock: FakeClock, cloud: Cloud, volume: Volume) {
    this.clock = clock;
    this.cloud = cloud;
    this.volume = volume;
  }

  static async open(volume = new Volume()): Promise<KeptWorld> {
    const clock = new FakeClock();
    return new KeptWorld(clock, await startCloud(cloudClock(clock)), volume);
  }

  async start(): Promise<void> {
    this.exporter = this.#running = await Exporter.start(
      this.cloud,
      this.clock,
      `state: {path: ${this.volume.state}}\n`,
    );
  }

  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    await running?.stop();
  }

  /** The first page of a new exporter, which has not polled anything yet. */
  async restart(): Promise<Page> {
    await this.stop();
    const answer = this.cloud.simulator.faults.inject({ action: 'DescribeBackupTasks', effect: { kind: 'hang' } });
    await this.start();
    const page = await this.pageOn('the instances', (seen) => seen.all('instance_info').length === INSTANCES);
    answer();
    return page;
  }

  /**
   * Lets time pass. It stands still while the disk works: a write that takes long for those who look would else hang for
   * the exporter, and what befalls the disk next would fall into the middle of it.
   */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 1_000) {
      await this.exporter.pass(Math.min(left, 1_000));
      await this.#disk.atRest();
    }
  }

  /** Lets time pass until a page holds what is wanted. */
  pageOn(what: string, holds: (page: Page) => boolean): Promise<Page> {
    return eventually(what, async () => {
      await this.pass(5_000);
      const page = await this.exporter.page();
      return holds(page) ? page : undefined;
    }).catch((error: unknown) => {
      throw new Error(`${String(error)}:\n${this.exporter.log.slice(-10).join('')}`);
    });
  }

  progress(percent: number): void {
    for (const regionId of REGIONS) this.cloud.progress(regionId, percent);
  }

  /** Of what the exporter logged, what holds this. */
  told(text: string | RegExp): readonly string[] {
    return this.exporter.log.filter((line) => (typeof text === 'string' ? line.includes(text) : text.test(line)));
  }

  /** The exporters and the cloud; the volume is left. */
  async close(): Promise<void> {
    await this.stop();
    await this.cloud.close();
    this.#disk.release();
  }
}
