import type { SimulatedInstance } from './instances.js';
import { hashOf } from './random.js';
import type { Pace, RawTask } from './timeline.js';
import { Timeline } from './timeline.js';

/** A member of the fleet. The order of creation is what token paging goes by. */
export interface Member {
  readonly instance: SimulatedInstance;
  readonly createdAs: number;
  readonly timeline: Timeline;
  readonly script: TaskScript | undefined;
}

/** What DescribeBackupTasks answers for an instance whose own timeline is set aside. */
export interface TaskScript {
  /** The default listing, as it goes over the wire; need not be well formed. */
  readonly listed: readonly object[];
  /** What is known by BackupJobId besides. */
  readonly ended: readonly object[];
}

/** A new instance; what is left out is ordinary: a running, idle MySQL primary without tags. */
export type NewInstance = Pick<SimulatedInstance, 'account' | 'regionId' | 'instanceId'> & Partial<SimulatedInstance>;

/** The instances of all accounts, and what each has to say at a time. */
export class SimulatedFleet {
  readonly #seed: string;
  readonly #pace: Pace;
  readonly #members = new Map<string, Map<string, Member>>();
  #created = 0;

  constructor(seed: string, pace: Pace) {
    this.#seed = seed;
    this.#pace = pace;
  }

  addInstance(given: NewInstance): SimulatedInstance {
    const instance: SimulatedInstance = {
      description: given.instanceId,
      engine: 'MySQL',
      engineVersion: '8.0',
      instanceType: 'Primary',
      status: 'Running',
      tags: {},
      resourceGroupId: 'rg-acfmdefault',
      profile: 'idle',
      ...given,
    };
    const hash = hashOf(`${this.#seed}/${instance.account}/${instance.instanceId}`);
    const timeline = new Timeline(hash, instance.profile, this.#pace);
    const members = this.#members.get(instance.account) ?? new Map<string, Member>();
    this.#members.set(instance.account, members);
    members.set(instance.instanceId, { instance, createdAs: ++this.#created, timeline, script: undefined });
    return instance;
  }

  removeInstance(account: string, instanceId: string): void {
    this.#existing(account, instanceId);
    this.#members.get(account)?.delete(instanceId);
  }

  /** Renames it, upgrades it, tags it anew, stops it; its tasks and its place in listings stay. */
  changeInstance(account: string, instanceId: string, change: Partial<Omit<SimulatedInstance, 'profile'>>): void {
    const member = this.#existing(account, instanceId);
    this.#replace({ ...member, instance: { ...member.instance, ...change } });
  }

  /**
   * From now on the instance lists `listed`, whatever its timeline says, and by BackupJobId knows `ended` besides.
   * BackupJobStatus and BackupMode filter both.
   */
  setTasks(account: string, instanceId: string, { listed = [], ended = [] }: Partial<TaskScript>): void {
    this.#replace({ ...this.#existing(account, instanceId), script: { listed, ended } });
  }

  /** Gives the instance back to its own timeline. */
  clearTasks(account: string, instanceId: string): void {
    this.#replace({ ...this.#existing(account, instanceId), script: undefined });
  }

  find(account: string, instanceId: string): Member | undefined {
    return this.#members.get(account)?.get(instanceId);
  }

  /** The members of an account in a region, oldest first. */
  *membersOf(account: string, regionId: string): Iterable<Member> {
    for (const member of this.#members.get(account)?.values() ?? []) {
      if (member.instance.regionId === regionId) yield member;
    }
  }

  /** All instances, account by account, oldest first. */
  instances(): SimulatedInstance[] {
    return [...this.#members.values()].flatMap((members) => [...members.values()].map(({ instance }) => instance));
  }

  #existing(account: string, instanceId: string): Member {
    const member = this.find(account, instanceId);
    if (member === undefined) throw new Error(`account ${account} has no instance ${instanceId}`);
    return member;
  }

  #replace(member: Member): void {
    this.#members.get(member.instance.account)?.set(member.instance.instanceId, member);
  }
}

/** The tasks of the default listing. */
export function listedTasks({ timeline, script }: Member, nowMs: number): readonly object[] {
  return script?.listed ?? timeline.listedAt(nowMs);
}

/** The task with this id, in any state; none when it is unknown or forgotten. */
export function tasksById({ timeline, script }: Member, jobId: string, nowMs: number): readonly object[] {
  if (script === undefined)
    return [timeline.findAt(Number(jobId), nowMs)].filter((task): task is RawTask => task !== undefined);
  return [...script.ended, ...script.listed]
    .filter((task) => String((task as Partial<RawTask>).BackupJobId) === jobId)
    .slice(0, 1);
}
