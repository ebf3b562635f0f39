import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { needTool } from '../helpers/tools.js';
import { DASHBOARDS } from './dashboards/all.js';
import { exposition } from './exposition.js';
import { freePort } from './free-port.js';

const START_TIMEOUT_MS = 60_000;
const POLL_MS = 200;
/** A rate needs two scrapes; some more make it sure. */
const SCRAPES_WANTED = 4;

interface Answer {
  readonly status: string;
  readonly error?: string;
  readonly data?: { readonly result: readonly unknown[] };
}

describe('every query of the dashboards', () => {
  let scrapes = 0;
  let exporter: Server;
  let prometheus: ChildProcess | undefined;
  let origin = '';
  const folder = mkdtempSync(join(tmpdir(), 'dashboards-'));

  async function query(expr: string): Promise<Answer> {
    const response = await fetch(`${origin}/api/v1/query?query=${encodeURIComponent(expr)}`);
    return (await response.json()) as Answer;
  }

  before(async function () {
    this.timeout(START_TIMEOUT_MS);
    const tool = needTool(this, 'prometheus', 'prometheus');
    exporter = createServer((_, response) => {
      response.setHeader('content-type', 'text/plain; version=0.0.4; charset=utf-8');
      response.end(exposition(Date.now() / 1000, ++scrapes));
    }).listen(0, '127.0.0.1');
    await once(exporter, 'listening');
    const target = `127.0.0.1:${(exporter.address() as AddressInfo).port}`;
    const config = {
      global: { scrape_interval: '500ms', scrape_timeout: '500ms' },
      scrape_configs: [{ job_name: 'rds', static_configs: [{ targets: [target] }] }],
    };
    writeFileSync(join(folder, 'prometheus.yml'), JSON.stringify(config));
    const port = await freePort();
    origin = `http://127.0.0.1:${port}`;
    const flags = [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=error',
    ];
    prometheus = spawn(tool, flags, { stdio: ['ignore', 'ignore', 'inherit'] });
    const filled = `count_over_time(process_start_time_seconds[1m]) >= ${SCRAPES_WANTED}`;
    for (;;) {
      const answer = await query(filled).catch((): Answer => ({ status: 'down' }));
      if ((answer.data?.result.length ?? 0) > 0) return;
      await delay(POLL_MS);
    }
  });

  after(async () => {
    if (prometheus !== undefined) {
      const ended = once(prometheus, 'exit');
      prometheus.kill();
      await ended;
      exporter.closeAllConnections();
      exporter.close();
    }
    rmSync(folder, { recursive: true, force: true });
  });

  for (const { file, text } of DASHBOARDS) {
    it(`returns data from a real Prometheus: ${file}`, async function () {
      this.timeout(START_TIMEOUT_MS);
      const { panels, templating } = JSON.parse(text) as {
        panels: { title: string; targets: { expr: string }[] }[];
        templating: { list: { name: string; query: string | { query: string } }[] };
      };
      const empty: string[] = [];
      for (const { title, targets } of panels) {
        for (const { expr } of targets) {
          const concrete = expr.replaceAll('$__rate_interval', '30s').replaceAll(/\$[a-z]+/g, '.+');
          const answer = await query(concrete.replace(/ or vector\(0\)$/, ''));
          if ((answer.data?.result.length ?? 0) === 0)
            empty.push(`${title}: ${answer.error ?? 'nothing'}: ${concrete}`);
        }
      }
      for (const { name, query: given } of templating.list) {
        const definition = typeof given === 'string' ? given : given.query;
        const [, series, label] = /^label_values\((.*), (\w+)\)$/.exec(definition) ?? [];
        if (series === undefined) continue;
        const answer = await query(`count by (${label}) (${series.replaceAll(/\$[a-z]+/g, '.+')})`);
        if ((answer.data?.result.length ?? 0) === 0) empty.push(`variable ${name}: ${answer.error ?? 'nothing'}`);
      }
      expect(empty).to.deep.equal([]);
    });
  }
});
