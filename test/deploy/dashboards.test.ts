import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Dashboard, Panel } from '@grafana/schema';
import { expect } from 'chai';
import { parse } from 'yaml';
import { DASHBOARDS, FOLDER } from './dashboards/all.js';
import { METRICS, namesIn } from './metric-names.js';
import { DEPLOY } from './rules-file.js';

const UNITS = ['none', 'short', 's', 'percentunit', 'reqps', 'bytes', 'dateTimeFromNow'];
const TYPE_CHECK_TIMEOUT_MS = 180_000;

/** Every panel here is one with queries. */
interface Shipped extends Omit<Dashboard, 'panels'> {
  readonly panels: readonly (Omit<Panel, 'targets'> & { readonly targets: readonly Target[] })[];
}

interface Target {
  readonly expr: string;
  readonly refId: string;
  readonly datasource: unknown;
}

const dashboards = DASHBOARDS.map(({ file }) => {
  const dashboard: Shipped = JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8'));
  const { panels } = dashboard;
  const targets = panels.flatMap(({ targets: list }) => list);
  return { file, dashboard, panels, targets };
});

describe('the dashboards', () => {
  it('are what the code makes: `npm run dashboards` writes them', () => {
    expect(readdirSync(FOLDER).toSorted()).to.deep.equal(DASHBOARDS.map(({ file }) => file).toSorted());
    for (const { file, text } of DASHBOARDS) expect(readFileSync(new URL(file, FOLDER), 'utf8'), file).to.equal(text);
  });

  it("fit Grafana's own types", function () {
    this.timeout(TYPE_CHECK_TIMEOUT_MS);
    const source = new URL('dashboards-checked.gen.ts', import.meta.url);
    const head = [
      `import type { Dashboard } from '@grafana/schema';`,
      '/** JSON has the words of the enums, not their members. */',
      'type Plain<T> = T extends string ? `${T}` : T extends object ? { [K in keyof T]: Plain<T[K]> } : T;',
      `export const dashboards = [`,
    ];
    const body = DASHBOARDS.map(({ text }) => `${text.trimEnd()} satisfies Plain<Dashboard>,`);
    writeFileSync(source, [...head, ...body, '];'].join('\n'));
    try {
      const tsc = fileURLToPath(new URL('../../node_modules/.bin/tsc', import.meta.url));
      const options = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2023'];
      execFileSync(tsc, [...options, '--ignoreConfig', fileURLToPath(source)], { stdio: ['ignore', 'pipe', 'pipe'] });
    } catch (error) {
      if (!(error instanceof Error && 'stdout' in error)) throw error;
      throw new Error(String(error.stdout), { cause: error });
    } finally {
      rmSync(source);
    }
  });

  it('can be provisioned: no id, no inputs, a stable uid, not editable, a known schema', () => {
    for (const { file, dashboard } of dashboards) {
      expect(dashboard.id, file).to.equal(null);
      expect(dashboard, file).not.to.have.any.keys('__inputs', '__requires');
      expect(dashboard.uid, file).to.match(/^[a-z-]{8,40}$/);
      expect(dashboard.editable, file).to.be.false;
      expect(dashboard.schemaVersion, file).to.be.within(39, 42);
    }
  });

  it('offer data source, job, account, region and instance', () => {
    for (const { file, dashboard } of dashboards) {
      const [source, ...others] = dashboard.templating?.list ?? [];
      expect(source, file).to.include({
        type: 'datasource',
        name: 'datasource',
        label: 'Data source',
        query: 'prometheus',
      });
      expect(others.map(({ name }) => name)).to.deep.equal(['job', 'account', 'region', 'instance']);
      for (const { name, type, label, datasource, refresh, multi, allValue } of others) {
        expect({ type, datasource, refresh }, name).to.deep.equal({
          type: 'query',
          datasource: { type: 'prometheus', uid: '${datasource}' },
          refresh: 2,
        });
        expect(label, name).to.match(/^[A-Z]/);
        const single = name === 'instance' && dashboard.uid === 'rds-backup-instance';
        expect({ multi: multi ?? false, allValue }, name).to.deep.equal(
          single ? { multi: false, allValue: undefined } : { multi: true, allValue: '.+' },
        );
      }
    }
  });

  it('have panels with title, description, unit, data source and queries', () => {
    for (const { title, description, fieldConfig, datasource, targets } of dashboards.flatMap(({ panels }) => panels)) {
      expect(title).to.match(/^[A-Z]/);
      expect(description, title).to.match(/^\S.{10,}\.$/s);
      expect(fieldConfig?.defaults.unit, title).to.be.oneOf(UNITS);
      expect(datasource, title).to.deep.equal({ type: 'prometheus', uid: '${datasource}' });
      expect(targets, title).not.to.be.empty;
    }
  });

  it('place their panels side by side, without overlap, each with an id of its own', () => {
    for (const { file, panels } of dashboards) {
      expect(new Set(panels.map(({ id }) => id)).size, file).to.equal(panels.length);
      const cells = panels.flatMap(({ gridPos: { x, y, w, h } = { x: 0, y: 0, w: 0, h: 0 } }) => {
        expect(x + w, file).to.be.at.most(24);
        return Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`);
      });
      expect(new Set(cells).size, file).to.equal(cells.length);
    }
  });

  it('query with the chosen job, use counters as rates over $__rate_interval, and rates of counters only', () => {
    for (const { file, targets } of dashboards) {
      for (const { expr, datasource } of targets) {
        expect(datasource, file).to.deep.equal({ type: 'prometheus', uid: '${datasource}' });
        for (const [, name = '', matchers = ''] of expr.matchAll(/([a-z_]+)\{([^}]*)\}/g)) {
          expect(matchers, name).to.include('job=~"$job"');
          const counter = /_(?:total|bucket)$/.test(name);
          const rated = new RegExp(`(?:rate|increase)\\(${name}\\{[^}]*\\}\\[\\$__rate_interval\\]\\)`).test(expr);
          expect(rated, name).to.equal(counter);
        }
      }
    }
  });

  it('name only metrics that the exporter has', () => {
    const names = dashboards.flatMap(({ dashboard }) => namesIn(JSON.stringify(dashboard)));
    expect(names.filter((name) => !METRICS.has(name))).to.deep.equal([]);
  });

  it('link to each other', () => {
    for (const { file, dashboard } of dashboards) {
      const [link] = dashboard.links ?? [];
      expect(link, file).to.include({ type: 'dashboards', includeVars: true, keepTime: true });
      expect(link?.tags, file).to.deep.equal(dashboard.tags);
    }
    const uids = dashboards.map(({ dashboard }) => dashboard.uid);
    const linked = [...JSON.stringify(dashboards).matchAll(/\/d\/([a-z-]+)/g)].map(([, uid]) => uid);
    expect(linked).not.to.be.empty;
    expect(uids).to.include.members(linked);
  });

  it('come with provisioning files', () => {
    const read = (path: string): unknown =>
      parse(readFileSync(new URL(`grafana/provisioning/${path}`, DEPLOY), 'utf8'));
    expect(read('dashboards/rds-backups.yaml')).to.have.nested.property('providers[0].type', 'file');
    expect(read('datasources/prometheus.yaml')).to.have.nested.property('datasources[0].type', 'prometheus');
  });
});
