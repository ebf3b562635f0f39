import { redact } from './redact.js';
import type { LogFields } from './log.js';

/** What the log tells of an exception that should not exist: enough to mend it, and no secret its message may hold. */
export function internalErrorFields(thrown: unknown): LogFields {
  if (!(thrown instanceof Error)) return { error: `a thrown ${typeof thrown}` };
  const frames = thrown.stack?.match(/^ +at .+:\d+:\d+\)?$/gm);
  return { error: redact(`${thrown.name}: ${thrown.message}`), stack: frames?.map((frame) => frame.trim()).join(', ') };
}
