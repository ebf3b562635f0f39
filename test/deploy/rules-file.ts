/** The shipped rules and their tests, as data. */
import { readFileSync, readdirSync } from 'node:fs';
import { parse } from 'yaml';

export const DEPLOY = new URL('../../deploy/', import.meta.url);
export const TESTS = new URL('prometheus/tests/', DEPLOY);

export interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly for?: string;
  readonly keep_firing_for?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface AlertCase {
  readonly alertname: string;
  readonly exp_alerts: readonly { readonly exp_labels: Readonly<Record<string, string>> }[];
}

export interface TestFile {
  readonly name: string;
  readonly text: string;
  readonly rule_files: readonly string[];
  readonly tests: readonly {
    readonly name: string;
    readonly input_series: readonly { readonly series: string }[];
    readonly alert_rule_test?: readonly AlertCase[];
  }[];
}

const { groups }: { groups: { rules: Rule[] }[] } = parse(
  readFileSync(new URL('prometheus/rules.yaml', DEPLOY), 'utf8'),
);

export const RULES: readonly Rule[] = groups.flatMap(({ rules }) => rules);

export const ALERTS = RULES.flatMap(({ alert, labels, annotations }) =>
  alert === undefined ? [] : [{ alert, labels, annotations }],
);

export const TEST_FILES: readonly TestFile[] = readdirSync(TESTS).map((name) => {
  const text = readFileSync(new URL(name, TESTS), 'utf8');
  const content: Omit<TestFile, 'name' | 'text'> = parse(text);
  return Object.assign(content, { name, text });
});

export const ALERT_CASES: readonly AlertCase[] = TEST_FILES.flatMap(({ tests }) =>
  tests.flatMap(({ alert_rule_test: cases = [] }) => cases),
);
