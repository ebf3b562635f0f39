import { statSync } from 'node:fs';
import { messageOf, UsageError } from '../../errors.js';
import { readRegularFile } from '../../regular-file.js';

export interface WatchOptions<T> {
  /** Builds the value from files that it reads by `readFile` alone, which is how they become known. */
  readonly load: (readFile: (path: string) => Buffer, following: boolean) => T;
  /** A new value is in force. */
  readonly changed: (value: T) => void;
  /** The files cannot be used as they are now, the last good value stays; told once for each reason. */
  readonly broken: (problem: string) => void;
}

/** A value made of files: made anew when one of them changes, and kept as it was while they are broken. */
export class WatchedFile<T> {
  readonly #options: WatchOptions<T>;
  #value: T;
  #problem: string | undefined;
  #seen = new Map<string, string>();

  /** @throws what `load` throws: there is no last good value yet */
  constructor(options: WatchOptions<T>) {
    this.#options = options;
    this.#value = this.#load(false);
  }

  /** Why the files as they are now are not in force. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Costs one stat a file, unless something has changed. */
  current(): T {
    for (const [path, fingerprint] of this.#seen) {
      if (fingerprintOf(path) === fingerprint) continue;
      this.#reload();
      break;
    }
    return this.#value;
  }

  #reload(): void {
    try {
      this.#value = this.#load(true);
      this.#problem = undefined;
      this.#options.changed(this.#value);
    } catch (error) {
      const problem = error instanceof UsageError ? error.problems.join('; ') : messageOf(error);
      if (problem !== this.#problem) this.#options.broken(problem);
      this.#problem = problem;
    }
  }

  /** A file that could not be read is looked at again each time: nothing need change in it for that to end. */
  #load(following: boolean): T {
    const seen = new Map<string, string>();
    this.#seen = new Map([...this.#seen].map(([path]) => [path, fingerprintOf(path)]));
    const value = this.#options.load((path) => {
      // Before the read: what is written in between is seen as a change the next time.
      const fingerprint = fingerprintOf(path);
      seen.set(path, fingerprint);
      this.#seen.set(path, '');
      const content = readRegularFile(path);
      this.#seen.set(path, fingerprint);
      return content;
    }, following);
    this.#seen = seen;
    return value;
  }
}

/** Follows symbolic links, so that a Kubernetes secret's swap of its folder is a change. */
function fingerprintOf(path: string): string {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
    return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
  } catch {
    return 'missing';
  }
}
