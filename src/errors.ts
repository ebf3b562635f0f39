/** A mistake of whoever started or configured the program: told in full on stderr, without a stack, exit code 2. */
export class UsageError extends Error {
  /** One line each: where, what, and how to mend it. */
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'UsageError';
    this.problems = problems;
  }
}

/** The message of anything that can be thrown, on one line. */
export function messageOf(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message || thrown.name : String(thrown);
  return text.replaceAll(/\s+/g, ' ').trim();
}
