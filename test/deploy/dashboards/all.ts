/** The dashboards as they are shipped: file name and JSON text. */
import { fleet } from './fleet.js';
import { instance } from './instance.js';

export const FOLDER = new URL('../../../deploy/grafana/dashboards/', import.meta.url);

/** The SDK writes keys named auto* on the data source variable, which Grafana's own types refuse. */
function withoutAuto(key: string, value: unknown): unknown {
  return key.startsWith('auto') ? undefined : value;
}

export const DASHBOARDS = [fleet(), instance()].map((dashboard) => ({
  file: `${dashboard.uid ?? ''}.json`,
  text: `${JSON.stringify(dashboard, withoutAuto, 2)}\n`,
}));
