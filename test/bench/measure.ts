/** Measures a process from outside: what it sent, how long that took, and the CPU time it cost. */
import { fork, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Of the kernel's clock for CPU times. */
const TICKS_PER_SECOND = 100;
const LOOK_MS = 20;

export interface Figures {
  readonly cpuUsPerPoll: number;
  readonly wallMsPerPoll: number;
}

export interface Cloud {
  readonly url: string;
  count(): Promise<number>;
  stop(): void;
}

/** `runningOf`: one of so many instances has a running task; none unless given. */
export async function startCloud(latencyMs: number, instances: number, runningOf = Infinity): Promise<Cloud> {
  const script = fileURLToPath(new URL('simulator-child.js', import.meta.url));
  const child = fork(script, [latencyMs, instances, runningOf].map(String));
  const [{ url }] = (await once(child, 'message')) as [{ url: string }];
  return {
    url,
    async count() {
      child.send('count');
      const [{ count }] = (await once(child, 'message')) as [{ count: number }];
      return count;
    },
    stop: () => child.disconnect(),
  };
}

/** Starts a Node program, lets it make `warmUp` polls, measures at least `polls` more, and ends it. */
export async function measure(
  cloud: Cloud,
  args: readonly string[],
  { warmUp, polls }: { warmUp: number; polls: number },
): Promise<Figures> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  try {
    const begun = await reach(cloud, child, (await cloud.count()) + warmUp);
    const ended = await reach(cloud, child, begun.count + polls);
    const made = ended.count - begun.count;
    return { cpuUsPerPoll: ((ended.cpuS - begun.cpuS) / made) * 1e6, wallMsPerPoll: (ended.atMs - begun.atMs) / made };
  } finally {
    child.kill('SIGKILL');
    await once(child, 'close');
  }
}

interface Mark {
  readonly count: number;
  readonly cpuS: number;
  readonly atMs: number;
}

async function reach(cloud: Cloud, child: ChildProcess, wanted: number): Promise<Mark> {
  for (;;) {
    const count = await cloud.count();
    if (count >= wanted) return { count, cpuS: cpuSeconds(child.pid), atMs: performance.now() };
    if (child.exitCode !== null) throw new Error(`the measured program ended with ${child.exitCode}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

function cpuSeconds(pid: number | undefined): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

export function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)]!;
}
