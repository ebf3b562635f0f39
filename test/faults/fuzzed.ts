/** The whole exporter beside an API that answers anything: one account gets what a test makes up, the other the truth. */
import { startDaemon } from '../../dist/exporter/daemon.js';
import type { Daemon } from '../../dist/exporter/daemon.js';
import { parseConfig } from '../../dist/config/load.js';
import { createLogger } from '../../dist/log.js';
import { FakeClock } from '../helpers/fake-clock.js';
import { interceptWire } from '../helpers/wire.js';
import type { WireAnswer, WireCall, WireRequest } from '../helpers/wire.js';

export const IDLE_MS = 60_000;
const FUZZED_ORIGIN = 'http://127.0.0.1:5001';
const CONFIG = `
accounts:
  - name: plain
    credentials: {type: access_key, access_key_id: planted-id, access_key_secret: planted-secret}
    regions: [{id: cn-hangzhou, endpoint: "http://127.0.0.1:5000"}]
    instances: [{id: rm-plain, region: cn-hangzhou}]
  - name: fuzzed
    credentials: {type: access_key, access_key_id: planted-id, access_key_secret: planted-secret}
    regions: [{id: cn-hangzhou, endpoint: "${FUZZED_ORIGIN}"}]
    instances: [{id: rm-fuzzed, region: cn-hangzhou}]
    discovery: {refresh_interval: 1m, tag_labels: [env, team, __proto__]}
polling:
  {idle_interval: 1m, active_interval: 1m, stale_after: 5m, max_attempts: 2, rate_limit: {requests_per_second: 50, burst: 50}}
`;
const PLAIN_ANSWER =
  '{"Items":{"BackupJob":[{"BackupJobId":"881","BackupStatus":"Uploading","JobMode":"Automated","Process":"62"}]}}';
/** Some of what must be shown of it. */
const PLAIN_TRUTH = [
  'instance_poll_success{LABELS} 1',
  'tasks{LABELS,mode="Automated"} 1',
  'tasks{LABELS,mode="Manual"} 0',
  'task_status{LABELS,mode="Automated",status="Uploading"} 1',
  'task_progress_ratio{LABELS,mode="Automated"} 0.62',
  'completed_tasks_total{LABELS,mode="Automated",outcome="Finished"} 0',
].map(
  (line) =>
    `alicloud_rds_backup_${line.replace('LABELS', 'account="plain",region_id="cn-hangzhou",instance_id="rm-plain"')}`,
);
/** What changes from page to page although nothing happens. */
const MOVING = /last_poll_success_timestamp|api_requests_total/;

export class FuzzedExporter {
  /** Every line of the log that tells of an error. */
  readonly errors: string[] = [];
  readonly clock = new FakeClock();
  answer: (request: WireRequest) => WireAnswer = () => ({ status: 200, body: '{}' });
  #daemon: Daemon | undefined;
  #plain: readonly string[] = [];
  readonly #undo = interceptWire((call) => this.#onCall(call));

  /** Resolves when the untouched instance was polled. */
  static async start(): Promise<FuzzedExporter> {
    const exporter = new FuzzedExporter();
    const { clock, errors } = exporter;
    exporter.#daemon = await startDaemon({
      name: 'exporter',
      version: '1.2.3',
      revision: 'test',
      clock,
      random: () => 0.5,
      log: createLogger({
        level: 'error',
        format: 'logfmt',
        wallNow: () => 0,
        write: (line) => void errors.push(line),
      }),
      readConfig: () => parseConfig(CONFIG, { env: {}, file: 'config.yaml' }),
      listenAddresses: [{ host: '127.0.0.1', port: 0 }],
      telemetryPath: '/metrics',
      enableLifecycle: false,
      webConfigFile: undefined,
    });
    await clock.advance(IDLE_MS);
    exporter.#plain = plainLines(await exporter.page());
    const missing = PLAIN_TRUTH.filter((line) => !exporter.#plain.includes(line));
    if (missing.length > 0) throw new Error(`the first page lacks\n${missing.join('\n')}`);
    return exporter;
  }

  get port(): number {
    return this.#daemon!.addresses[0]!.port;
  }

  async page(): Promise<string> {
    // Scrapes of one second share a page.
    await this.clock.advance(1_000);
    const response = await fetch(`http://127.0.0.1:${this.port}/metrics`, { headers: { connection: 'close' } });
    if (response.status !== 200) throw new Error(`a scrape is answered with ${response.status}`);
    return response.text();
  }

  /** @throws unless the untouched instance is shown as on the first page, and as of its last poll */
  expectUntouched(page: string): void {
    const now = plainLines(page);
    if (now.join('\n') !== this.#plain.join('\n'))
      throw new Error(`the untouched instance is shown as\n${now.join('\n')}`);
    const polledAt = Number(/last_poll_success_timestamp_seconds\{.*rm-plain.*\} (\S+)/.exec(page)?.[1]) * 1000;
    if (!(this.clock.now() - polledAt < 2 * IDLE_MS))
      throw new Error(`the untouched instance was polled at ${polledAt}`);
  }

  async stop(): Promise<void> {
    await this.#daemon?.stop();
    this.#undo();
  }

  #onCall(call: WireCall): void {
    const { request } = call;
    const answer = request.origin === FUZZED_ORIGIN ? this.answer(request) : { status: 200, body: PLAIN_ANSWER };
    this.clock.after(50, () => call.answer(answer));
  }
}

function plainLines(page: string): readonly string[] {
  return page.split('\n').filter((line) => line.includes('account="plain"') && !MOVING.test(line));
}
