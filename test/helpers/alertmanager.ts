import { Scratch, startServer } from './program.js';
import type { RunningServer } from './program.js';
import type { Release } from './release.js';

export interface ListedAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly status: { readonly state: 'active' | 'suppressed' | 'unprocessed' };
}

/** A real Alertmanager on loopback. */
export class Alertmanager {
  readonly #server: RunningServer;
  readonly #scratch: Scratch;

  private constructor(server: RunningServer, scratch: Scratch) {
    this.#server = server;
    this.#scratch = scratch;
  }

  static async start(context: Mocha.Context, release: Release, configuration: string): Promise<Alertmanager> {
    const command = release.need(context, 'prometheus-alertmanager');
    const scratch = new Scratch();
    const file = scratch.file('alertmanager.yml', configuration);
    const server = await startServer(command, [
      `--config.file=${file}`,
      `--storage.path=${scratch.path}/data`,
      '--cluster.listen-address=',
    ]);
    return new Alertmanager(server, scratch);
  }

  get url(): string {
    return this.#server.url;
  }

  async alerts(): Promise<readonly ListedAlert[]> {
    return (await (await fetch(`${this.url}/api/v2/alerts`)).json()) as ListedAlert[];
  }

  async stop(): Promise<void> {
    await this.#server.program.stop();
    this.#scratch.remove();
  }
}
