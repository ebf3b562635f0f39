/**
 * What deploy/ holds twice, because its readers cannot look outside their own folder: Helm reads only inside the chart,
 * and kubectl cannot render it. `node dist-test/deploy/update.js` writes these files; a test compares them.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chart, root, template } from './helm.js';

const HEADER = '# Rendered from the Helm chart: change that, then `npm run build:deploy`.\n';
const manifests = join(root, 'deploy/kubernetes');

/** Folders in which no other file may lie. */
export const OWNED: readonly string[] = [join(chart, 'files/dashboards'), manifests];

/** Path to content of each copy in the chart. */
export function chartFiles(): Map<string, string> {
  const rules = join(root, 'deploy/prometheus/rules.yaml');
  const dashboards = join(root, 'deploy/grafana/dashboards');
  const names = readdirSync(dashboards);
  return new Map([
    [join(chart, 'files/rules.yaml'), readFileSync(rules, 'utf8')],
    ...names.map((name): [string, string] => [
      join(chart, 'files/dashboards', name),
      readFileSync(join(dashboards, name), 'utf8'),
    ]),
  ]);
}

/** Path to content of each plain manifest. Reads the chart, so its files must be up to date first. */
export function plainManifests(): Map<string, string> {
  const one = render('values-exporter.yaml');
  const sharded = render('values-sharded.yaml');
  const demo = render('values-demo.yaml');
  const forOperator = (document: string): boolean => document.includes('apiVersion: monitoring.coreos.com/');
  const file = (documents: readonly string[]): string =>
    HEADER + documents.map((document) => `---\n${document}`).join('');
  return new Map([
    [join(manifests, 'exporter.yaml'), file(one.filter((document) => !forOperator(document)))],
    [join(manifests, 'prometheus-operator.yaml'), file(one.filter(forOperator))],
    [join(manifests, 'sharded.yaml'), file(sharded)],
    [join(manifests, 'demo.yaml'), file(demo)],
  ]);
}

/** The documents of one render, without what only Helm writes and reads. */
function render(values: string): string[] {
  return template('--values', join(root, 'deploy/helm', values))
    .split(/^---\n/m)
    .filter((document) => document.trim() !== '')
    .map((document) =>
      document
        .split('\n')
        .filter((line) => !/^# Source: |^ +(app\.kubernetes\.io\/managed-by|helm\.sh\/\S+): /.test(line))
        .join('\n'),
    );
}
