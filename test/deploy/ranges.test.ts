import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { DASHBOARDS } from './dashboards/all.js';
import { documentNamed, documents } from './documents.js';
import { DEPLOY } from './rules-file.js';

/** What docs/alerts.md asks for at the least: a scrape in two minutes, an evaluation of the rules a minute. */
const SLOWEST = {
  said: 'Scrape at least every two minutes and evaluate the rules at least every minute',
  scrapeS: 120,
  evaluationS: 60,
};
const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
/** A range with the function and the series that it belongs to. */
const RANGE = /(\w+)\(\s*([^()[\]]*?)\[([^\]]+)\]/g;
/** Everything that could be a range, also in a text. */
const LIKE_A_RANGE = /\[(?:\d+(?:ms|[smhdwy]))+(?::\w*)?\]|\[\$__\w+\]/g;

/**
 * How many intervals a range must span. On Prometheus 3 it is open to the left: exactly two intervals hold two samples,
 * or one where a scrape is late. A rate needs two also where a scrape is missed.
 */
function intervalsFor(name: string): number {
  return name.endsWith('_over_time') ? 2.5 : 4;
}

function rangesIn(text: string): readonly { name: string; series: string; range: string }[] {
  return [...text.matchAll(RANGE)].map(([, name = '', series = '', range = '']) => ({ name, series, range }));
}

function secondsOf(range: string): number {
  const [, count, unit = ''] = /^(\d+)([smhdw])$/.exec(range) ?? [];
  return Number(count) * (SECONDS[unit] ?? Number.NaN);
}

function tooShort(text: string): readonly string[] {
  return rangesIn(text)
    .filter(({ name, series, range }) => {
      const intervalS = series.includes(':') ? SLOWEST.evaluationS : SLOWEST.scrapeS;
      return !(secondsOf(range) >= intervalsFor(name) * intervalS);
    })
    .map(({ name, series, range }) => `${name}(${series}[${range}])`);
}

describe('the ranges of queries, at the slowest scrapes that the documents allow', () => {
  it('are long enough in the rules, the runbooks and every other document', () => {
    const texts = [
      readFileSync(new URL('prometheus/rules.yaml', DEPLOY), 'utf8'),
      ...documents.map(({ text }) => text),
    ];
    expect(texts.flatMap(tooShort)).to.deep.equal([]);
    // None is passed over.
    for (const text of texts) expect(rangesIn(text)).to.have.lengthOf(text.match(LIKE_A_RANGE)?.length ?? 0);
    expect(texts.flatMap(rangesIn)).to.have.length.greaterThan(20);
  });

  it('are four scrapes in the dashboards, whatever the data source is told', () => {
    const targets = DASHBOARDS.flatMap(({ text }) => {
      const { panels }: { panels: { targets: { expr: string; interval?: string }[] }[] } = JSON.parse(text);
      return panels.flatMap((panel) => panel.targets).filter(({ expr }) => expr.includes('['));
    });
    // Grafana takes the range for four times the interval of the query.
    for (const { expr, interval = '' } of targets) {
      expect(
        rangesIn(expr).map(({ range }) => range),
        expr,
      ).to.deep.equal(['$__rate_interval']);
      expect(secondsOf(interval), expr).to.equal(SLOWEST.scrapeS);
    }
    expect(targets).to.have.length.greaterThan(5);
  });

  it('are those of the intervals that the documentation asks for', () => {
    expect(documentNamed('docs/alerts.md').text).to.contain(SLOWEST.said);
  });

  it('are those of the intervals that the chart lets through, however they are written', () => {
    const schema: { properties: { serviceMonitor: { properties: { interval: { pattern: string } } } } } = JSON.parse(
      readFileSync(new URL('helm/alicloud-rds-backup-exporter/values.schema.json', DEPLOY), 'utf8'),
    );
    const pattern = new RegExp(schema.properties.serviceMonitor.properties.interval.pattern);
    for (let seconds = 0; seconds <= 400; seconds++) {
      const isAllowed = seconds > 0 && seconds <= SLOWEST.scrapeS;
      expect(pattern.test(`${seconds}s`), `${seconds}s`).to.equal(isAllowed);
      const [minutes, rest] = [Math.floor(seconds / 60), seconds % 60];
      const inMinutes = `${minutes}m${rest === 0 ? '' : `${rest}s`}`;
      expect(pattern.test(inMinutes), inMinutes).to.equal(isAllowed && minutes > 0);
    }
    for (const other of ['', '30', '500ms', '1h', '30s ', '1m60s']) expect(pattern.test(other), other).to.equal(false);
  });
});
