import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { itOnEachRelease } from '../helpers/release.js';
import { METRICS, namesIn } from './metric-names.js';
import { ALERT_CASES, ALERTS, DEPLOY, RULES, TEST_FILES, TESTS } from './rules-file.js';

const RULES_FILE = fileURLToPath(new URL('prometheus/rules.yaml', DEPLOY));
const TOOL_TIMEOUT_MS = 180_000;

const run = promisify(execFile);

describe('alert rules', () => {
  itOnEachRelease('pass every check of promtool', async function (release) {
    this.timeout(TOOL_TIMEOUT_MS);
    const args = ['check', 'rules', '--lint=all', '--lint-fatal', RULES_FILE];
    const { stdout } = await run(release.need(this, 'promtool'), args);
    expect(stdout).to.match(/SUCCESS: \d+ rules found/);
  });

  itOnEachRelease('pass their unit tests', async function (release) {
    this.timeout(TOOL_TIMEOUT_MS);
    const tool = release.need(this, 'promtool');
    const runs = TEST_FILES.map(({ name }) => run(tool, ['test', 'rules', fileURLToPath(new URL(name, TESTS))]));
    for (const { stdout } of await Promise.all(runs)) expect(stdout).to.include('SUCCESS');
  });

  it('have one firing and one quiet case each at the least', () => {
    const lacking = ALERTS.flatMap(({ alert }) => {
      const cases = ALERT_CASES.filter(({ alertname }) => alertname === alert);
      const fires = cases.some(({ exp_alerts: expected }) => expected.length > 0);
      const quiet = cases.some(({ exp_alerts: expected }) => expected.length === 0);
      return [...(fires ? [] : [`${alert} never fires`]), ...(quiet ? [] : [`${alert} is never quiet`])];
    });
    expect(lacking).to.deep.equal([]);
  });

  it('are tested by names that exist: promtool takes a misspelt alert for a quiet one', () => {
    const names = new Set(ALERTS.map(({ alert }) => alert));
    expect(ALERT_CASES.filter(({ alertname }) => !names.has(alertname))).to.deep.equal([]);
  });

  it('are what the tests load: promtool passes over a rule file that is not there', () => {
    for (const { name, rule_files: files, tests } of TEST_FILES) {
      expect(tests, name).not.to.be.empty;
      expect(
        files.map((file) => fileURLToPath(new URL(file, TESTS))),
        name,
      ).to.deep.equal([RULES_FILE]);
    }
    expect(existsSync(RULES_FILE)).to.be.true;
  });

  it('name only metrics that the exporter has, and series that they record', () => {
    const known = new Set([...METRICS, ...RULES.map(({ record }) => record)]);
    const texts = [readFileSync(RULES_FILE, 'utf8'), ...TEST_FILES.map(({ text }) => text)];
    expect(texts.flatMap(namesIn).filter((name) => !known.has(name))).to.deep.equal([]);
  });

  it('use everything that they record', () => {
    const used = new Set(RULES.flatMap(({ expr }) => namesIn(expr)));
    expect(RULES.filter(({ record }) => record !== undefined && !used.has(record))).to.deep.equal([]);
  });

  it('say severity, summary, description and runbook', () => {
    for (const { alert, labels, annotations } of ALERTS) {
      expect(Object.keys(labels ?? {}), alert).to.deep.equal(['severity']);
      expect(labels?.severity, alert).to.be.oneOf(['critical', 'warning', 'info']);
      expect(Object.keys(annotations ?? {}), alert).to.deep.equal(['summary', 'description', 'runbook_url']);
    }
  });

  it('join nothing with instance_info, assume no job name, and outlast their cause only where that is meant', () => {
    for (const { alert = '', expr, keep_firing_for: kept } of RULES) {
      expect(expr, alert).not.to.match(/instance_info|job\s*[=!]~?\s*"/);
      expect(kept, alert).to.equal(['BackupStuck', 'BackupFailed'].includes(alert) ? '10m' : undefined);
    }
  });

  it('mark every threshold: a comparison with a number other than 0 and 1', () => {
    const unmarked = readFileSync(RULES_FILE, 'utf8')
      .split('\n')
      .filter((line) => /^\s+(?!#|summary|- record|-? ?alert).*[<>]=? *\d/.test(line) && !line.includes('# threshold'))
      .filter((line) => !/[<>]=? *[01]\b(?!\.)/.test(line));
    expect(unmarked).to.deep.equal([]);
  });
});
