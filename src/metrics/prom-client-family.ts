/** A family with its samples, as prom-client hands them out. */
export interface PromClientFamily {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly values: readonly PromClientSample[];
}

export interface PromClientSample {
  /** Of a part of a histogram: `..._bucket`, `..._sum`, `..._count`. */
  readonly metricName?: string;
  readonly labels: Readonly<Partial<Record<string, string | number>>>;
  readonly value: number;
}
