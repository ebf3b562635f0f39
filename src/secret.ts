import { statSync } from 'node:fs';
import { inspect } from 'node:util';
import { readRegularFile } from './regular-file.js';

/**
 * A text that must never be shown: prints as `<secret>` in JSON, templates and `inspect`. Only `reveal()` gives it.
 * One that lives in a file follows the file.
 */
export class Secret {
  readonly #read: () => string;
  /** The file that it lives in; undefined: it was given as it is. */
  readonly file: string | undefined;

  constructor(text: string | (() => string), file?: string) {
    this.#read = typeof text === 'string' ? () => text : text;
    this.file = file;
  }

  /**
   * Reads the file again whenever its inode, size or time of change differs; the trailing newline is cut. While the
   * file cannot be read or is empty, as it can be for a moment when it is replaced, the last good text stays.
   * @throws the file system's error when the file cannot be read the first time
   */
  static fromFile(path: string): Secret {
    let seen = fingerprint(path);
    let text = readText(path);
    return new Secret(() => {
      try {
        const now = fingerprint(path);
        if (now !== seen) {
          text = readText(path) || text;
          seen = now;
        }
      } catch {
        // Gone or unreadable for now: the next call looks again.
      }
      return text;
    }, path);
  }

  reveal(): string {
    return this.#read();
  }

  toString(): string {
    return '<secret>';
  }

  toJSON(): string {
    return '<secret>';
  }

  [inspect.custom](): string {
    return '<secret>';
  }
}

function fingerprint(path: string): string {
  const { ino, size, mtimeMs, ctimeMs } = statSync(path);
  return `${ino}:${size}:${mtimeMs}:${ctimeMs}`;
}

function readText(path: string): string {
  return readRegularFile(path)
    .toString('utf8')
    .replace(/\r?\n$/, '');
}
