import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';

/** Of keys, certificates and their settings; a bundle of every public authority has a quarter of it. */
const MAX_BYTES = 1024 * 1024;

/**
 * Reads a file that may be replaced while the program runs. A pipe in its place, which nobody writes to, would block it for
 * ever, a device never end.
 * @throws what the system says, or that it is no regular file or too large
 */
export function readRegularFile(path: string): Buffer {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) throw new Error(`${path} is not a regular file`);
    if (stat.size > MAX_BYTES) {
      throw Object.assign(new Error(`${path} is larger than ${MAX_BYTES / 1024} KiB`), { code: 'EFBIG' });
    }
    return readFileSync(file);
  } finally {
    closeSync(file);
  }
}
