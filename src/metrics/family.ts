/** What a family of the exposition says of itself; the tables of docs/metrics.md show the same. */
export interface FamilyHead {
  readonly name: string;
  /** A full sentence. */
  readonly help: string;
  readonly type: 'gauge' | 'counter' | 'histogram';
  /** In the order in which they are written. */
  readonly labels: readonly string[];
}

/**
 * Takes one sample: its labels as they stand between the braces (see labels.ts) in two parts, so that those of the
 * subject are copied from where they are kept, and its value.
 */
export type Sample = (labels: Uint8Array, more: Uint8Array, value: number) => void;

/** A time of the steady timeline as seconds since the epoch. */
export type Seconds = (steadyMs: number) => number;

/** A family whose samples are read off its subject, such as the state of one instance, at the time of the scrape. */
export interface Family<Subject> extends FamilyHead {
  samples(subject: Subject, sample: Sample, seconds: Seconds): void;
}
