import { execFileSync } from 'node:child_process';
import { cpSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StateStore } from '../../dist/state/store.js';
import { Scratch } from '../helpers/program.js';

/** A volume of a test's own, with the directory of the state in it. */
export class Volume {
  readonly #scratch = new Scratch();
  #mounts = 0;

  get path(): string {
    return this.#scratch.path;
  }

  get state(): string {
    return join(this.path, 'state');
  }

  /** A file system in memory; over the volume, what was in it is out of sight. */
  mount(options: string): void {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', this.path], { stdio: 'pipe' });
    this.#mounts++;
  }

  unmount(): void {
    // Whoever still has files open in it keeps it until it closes them.
    execFileSync('umount', ['--lazy', this.path]);
    this.#mounts--;
  }

  remove(): void {
    while (this.#mounts > 0) this.unmount();
    this.#scratch.remove();
  }
}

/** What may befall the state of a running exporter. */
export interface StateFault {
  readonly name: string;
  /** What the log says of it. */
  readonly error: RegExp;
  prepare?(volume: Volume): void;
  /** It strikes an exporter of the same process alone. */
  readonly inProcess?: boolean;
  /** The result lifts it. Without one the exporter mends it by itself. */
  inflict(volume: Volume): (() => void) | undefined;
}

const faults: readonly StateFault[] = [
  {
    name: 'its directory is removed',
    error: /no such file or directory/,
    inflict({ state }) {
      rmSync(state, { recursive: true });
      return undefined;
    },
  },
  {
    name: 'its directory is emptied',
    error: /no such file or directory/,
    inflict({ state }) {
      for (const name of readdirSync(state)) rmSync(join(state, name), { recursive: true });
      return undefined;
    },
  },
  {
    name: 'its directory is replaced by a copy',
    error: /state was replaced/,
    inflict({ state }) {
      cpSync(state, `${state}.copy`, { recursive: true });
      rmSync(state, { recursive: true });
      renameSync(`${state}.copy`, state);
      return undefined;
    },
  },
  {
    name: 'a file takes the place of its directory',
    error: /not a directory/,
    inflict({ state }) {
      rmSync(state, { recursive: true });
      writeFileSync(state, '');
      return () => rmSync(state);
    },
  },
  {
    name: 'its disk hangs',
    error: /a write has not ended for 30 s/,
    inProcess: true,
    inflict: hang,
  },
];

/** No write ends before it is lifted. */
export function hang(): () => void {
  const write = Object.getOwnPropertyDescriptor(StateStore.prototype, 'write')!;
  let lift = (): void => undefined;
  const lifted = new Promise<void>((resolve) => (lift = resolve));
  StateStore.prototype.write = async function (this: StateStore, changes) {
    await lifted;
    return this.write(changes);
  };
  return () => {
    Object.defineProperty(StateStore.prototype, 'write', write);
    lift();
  };
}

/** Resolves once the store that is closed next is closed. A stop that did not wait for its disk leaves that to happen later. */
export function nextClose(): Promise<void> {
  const close = Object.getOwnPropertyDescriptor(StateStore.prototype, 'close')!;
  return new Promise((resolve, reject) => {
    StateStore.prototype.close = async function (this: StateStore) {
      Object.defineProperty(StateStore.prototype, 'close', close);
      await this.close().then(resolve, reject);
    };
  });
}

const mountedFaults: readonly StateFault[] = [
  {
    name: 'a read-only file system is mounted over it',
    error: /no such file or directory/,
    inflict(volume) {
      volume.mount('ro');
      return () => volume.unmount();
    },
  },
  {
    name: 'its disk is full',
    error: /no space left on device/i,
    prepare: (volume) => volume.mount('size=1m'),
    inflict({ path }) {
      const filler = join(path, 'filler');
      // To the last byte, however little a write takes.
      for (let size = 1 << 19; size > 0; size >>= 1) fill(filler, size);
      return () => rmSync(filler);
    },
  },
];

function fill(path: string, size: number): void {
  try {
    for (;;) writeFileSync(path, Buffer.alloc(size), { flag: 'a' });
  } catch (error) {
    if (!String(error).includes('ENOSPC')) throw error;
  }
}

/** Not every place where tests run lets root mount. */
function mayMount(): boolean {
  const volume = new Volume();
  try {
    volume.mount('size=64k');
    return true;
  } catch {
    return false;
  } finally {
    volume.remove();
  }
}

export const stateFaults = mayMount() ? [...faults, ...mountedFaults] : faults;
