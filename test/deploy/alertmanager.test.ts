import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { parse } from 'yaml';
import { itOnEachRelease } from '../helpers/release.js';
import { ALERT_CASES, DEPLOY, ALERTS } from './rules-file.js';

const CONFIG = fileURLToPath(new URL('alertmanager/alertmanager.yaml', DEPLOY));
const TOOL_TIMEOUT_MS = 180_000;
const RECEIVERS: Readonly<Record<string, string>> = { critical: 'page', warning: 'chat', info: 'mail' };

interface Inhibition {
  readonly source_matchers: readonly string[];
  readonly target_matchers: readonly string[];
  readonly equal: readonly string[];
}

function run(amtool: string, ...args: string[]): string {
  return execFileSync(amtool, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

function inhibitions(): readonly Inhibition[] {
  const config: { inhibit_rules: Inhibition[] } = parse(readFileSync(CONFIG, 'utf8'));
  return config.inhibit_rules;
}

/** The alert names of a matcher such as `alertname=~"A|B"`. */
function alertsOf(matchers: readonly string[]): readonly string[] {
  return matchers.flatMap((matcher) => /^alertname=~?"(.*)"$/.exec(matcher)?.[1]?.split('|') ?? ['?']);
}

describe('the Alertmanager example', () => {
  itOnEachRelease('passes amtool', function (release) {
    this.timeout(TOOL_TIMEOUT_MS);
    expect(run(release.need(this, 'amtool'), 'check-config', CONFIG)).to.include('SUCCESS');
  });

  itOnEachRelease('sends each severity to its receiver', function (release) {
    this.timeout(TOOL_TIMEOUT_MS);
    const amtool = release.need(this, 'amtool');
    for (const [severity, receiver] of Object.entries(RECEIVERS)) {
      for (const alertname of ['BackupStuck', 'ExporterDown', 'SomethingElse']) {
        const labels = [`severity=${severity}`, `alertname=${alertname}`, 'account=a', 'region_id=r'];
        run(amtool, 'config', 'routes', 'test', `--config.file=${CONFIG}`, `--verify.receivers=${receiver}`, ...labels);
      }
    }
    run(amtool, 'config', 'routes', 'test', `--config.file=${CONFIG}`, '--verify.receivers=mail', 'alertname=Other');
  });

  it('inhibits by labels that both alerts carry: two missing labels would be equal', () => {
    const labels = new Map<string, Set<string>>();
    for (const { alertname, exp_alerts: expected } of ALERT_CASES) {
      for (const { exp_labels: given } of expected) labels.set(alertname, new Set(Object.keys(given)));
    }
    for (const { source_matchers: source, target_matchers: target, equal } of inhibitions()) {
      for (const alert of [...alertsOf(source), ...alertsOf(target)]) {
        expect([...(labels.get(alert) ?? [])], alert).to.include.members([...equal]);
      }
    }
  });

  it('names alerts that exist, and lets no exporter that is down silence anything', () => {
    const names = ALERTS.map(({ alert }) => alert);
    for (const { source_matchers: source, target_matchers: target } of inhibitions()) {
      expect(names).to.include.members([...alertsOf(source), ...alertsOf(target)]);
      expect(alertsOf(source)).not.to.include.oneOf(['ExporterDown', 'ShardMissing', 'ExporterRestarting']);
    }
  });
});
