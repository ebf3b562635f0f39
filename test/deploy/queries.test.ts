import { once } from 'node:events';
import { createServer } from 'node:http';
import { expect } from 'chai';
import { eventually, freePort } from '../helpers/program.js';
import { Prometheus } from '../helpers/prometheus.js';
import { DASHBOARDS } from './dashboards/all.js';
import { exposition } from './exposition.js';

const TEST_TIMEOUT_MS = 60_000;
/** A rate needs two scrapes; some more make it sure. */
const SCRAPES_WANTED = 4;

interface Shipped {
  readonly panels: readonly { readonly title: string; readonly targets: readonly { readonly expr: string }[] }[];
  readonly templating: { readonly list: readonly Variable[] };
}

interface Variable {
  readonly name: string;
  readonly query: string | { readonly query: string };
}

/** What Grafana would send: `All` for each variable. The 0 that stands for nothing would hide an empty query. */
function concrete(expr: string): string {
  return expr
    .replaceAll('$__rate_interval', '30s')
    .replaceAll(/\$[a-z]+/g, '.+')
    .replace(/ or vector\(0\)$/, '');
}

/** The series that a variable takes its values from. */
function seriesOf({ query }: Variable): string | undefined {
  const [, series, label] = /^label_values\((.*), (\w+)\)$/.exec(typeof query === 'string' ? query : query.query) ?? [];
  return series === undefined ? undefined : `count by (${label}) (${series})`;
}

describe('every query of the dashboards', () => {
  let scrapes = 0;
  let prometheus: Prometheus | undefined;
  const exporter = createServer((_, response) => {
    response.setHeader('content-type', 'text/plain; version=0.0.4; charset=utf-8');
    response.end(exposition(Date.now() / 1000, ++scrapes));
  });

  before(async function () {
    this.timeout(TEST_TIMEOUT_MS);
    const port = await freePort();
    exporter.listen(port, '127.0.0.1');
    await once(exporter, 'listening');
    const started = await Prometheus.start(this, { target: `127.0.0.1:${port}` });
    prometheus = started;
    await eventually('enough scrapes', async () => {
      const filled = await started.query(`count_over_time(process_start_time_seconds[1m]) >= ${SCRAPES_WANTED}`);
      return filled.length > 0 ? true : undefined;
    });
  });

  after(async () => {
    await prometheus?.stop();
    exporter.closeAllConnections();
    exporter.close();
  });

  for (const { file, text } of DASHBOARDS) {
    it(`returns data from a real Prometheus: ${file}`, async function () {
      this.timeout(TEST_TIMEOUT_MS);
      const { panels, templating }: Shipped = JSON.parse(text);
      const queries = [
        ...panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ title, expr }))),
        ...templating.list.flatMap((variable) => {
          const expr = seriesOf(variable);
          return expr === undefined ? [] : [{ title: `variable ${variable.name}`, expr }];
        }),
      ];
      const empty: string[] = [];
      for (const { title, expr } of queries) {
        const samples = await prometheus?.query(concrete(expr));
        if (samples === undefined || samples.length === 0) empty.push(`${title}: ${concrete(expr)}`);
      }
      expect(empty).to.deep.equal([]);
    });
  }
});
