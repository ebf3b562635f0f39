import { Scratch, eventually, startServer } from './program.js';
import type { RunningServer } from './program.js';
import type { Release } from './release.js';

export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A real Prometheus on loopback. */
export class Prometheus {
  readonly #server: RunningServer;
  readonly #scratch: Scratch;

  private constructor(server: RunningServer, scratch: Scratch) {
    this.#server = server;
    this.#scratch = scratch;
  }

  /** Scrapes `target` (host:port) every `interval`. `more` is appended to the configuration. */
  static async start(
    context: Mocha.Context,
    release: Release,
    {
      target,
      interval = '1s',
      scrape = '',
      more = '',
    }: { target: string; interval?: string; scrape?: string; more?: string },
  ): Promise<Prometheus> {
    const command = release.need(context, 'prometheus');
    const scratch = new Scratch();
    const config = `global: {scrape_interval: ${interval}, scrape_timeout: ${interval}, evaluation_interval: ${interval}}
scrape_configs:
  - job_name: rds-backups
    static_configs: [{targets: ["${target}"]}]
${scrape}
${more}
`;
    const file = scratch.file('prometheus.yml', config);
    const server = await startServer(command, [`--config.file=${file}`, `--storage.tsdb.path=${scratch.path}/data`]);
    return new Prometheus(server, scratch);
  }

  get url(): string {
    return this.#server.url;
  }

  async query(query: string): Promise<readonly Sample[]> {
    const response = await fetch(`${this.url}/api/v1/query?query=${encodeURIComponent(query)}`);
    const answer = (await response.json()) as {
      error?: string;
      data: { result: { metric: Record<string, string>; value: [number, string] }[] };
    };
    if (!response.ok) throw new Error(`${query}: ${answer.error}`);
    return answer.data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
  }

  /** The one value of a query, once it has the one that is wanted; undefined stands for no result. */
  async becomes(query: string, wanted: number | undefined, waitMs?: number): Promise<void> {
    let last: unknown;
    const look = async (): Promise<true | undefined> => {
      const samples = await this.query(query);
      last = samples;
      const isThere =
        wanted === undefined ? samples.length === 0 : samples.length === 1 && samples[0]?.value === wanted;
      return isThere ? true : undefined;
    };
    await eventually(`${query} to become ${wanted}`, look, waitMs).catch((error: unknown) => {
      throw new Error(`${String(error)}; last seen: ${JSON.stringify(last)}`);
    });
  }

  async stop(): Promise<void> {
    await this.#server.program.stop();
    this.#scratch.remove();
  }
}
