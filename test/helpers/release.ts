import { join } from 'node:path';
import { doWithout, findTool, needTool } from './tools.js';

const PACKAGES = {
  prometheus: 'prometheus',
  promtool: 'prometheus (Debian 12) or promtool (Debian 13)',
  'prometheus-alertmanager': 'prometheus-alertmanager',
  amtool: 'prometheus-alertmanager',
};

type Program = keyof typeof PACKAGES;

/** Programs of Prometheus and Alertmanager that were released together. */
export interface Release {
  readonly name: string;
  /** What `prometheus` says of itself. */
  readonly version: RegExp;
  /** The path of the program. Without it a developer's run skips the test; under CI=true it fails. */
  need(context: Mocha.Context, program: Program): string;
}

const INSTALLED: Release = {
  name: 'as installed',
  version: /^[23]\./,
  need: (context, program) => needTool(context, program, PACKAGES[program]),
};

const PROMETHEUS_3: Release = {
  name: 'Prometheus 3',
  // What sid has, which moves.
  version: /^(3\.([5-9]|\d\d)|[4-9]\.)/,
  need(context, program) {
    const folder = process.env.PROMETHEUS_3_DIR;
    const found = folder === undefined ? undefined : findTool(program, join(folder, 'usr/bin'));
    return (
      found ??
      doWithout(context, `${program} of Prometheus 3 is missing: .ci/prometheus-3 FOLDER, then PROMETHEUS_3_DIR=FOLDER`)
    );
  },
};

const RELEASES = [INSTALLED, PROMETHEUS_3];

/** A suite that runs on each release: what is shipped must do the same on all. */
export function describeOnEachRelease(title: string, suite: (this: Mocha.Suite, release: Release) => void): void {
  for (const release of RELEASES) {
    describe(`${title} (${release.name})`, function () {
      suite.call(this, release);
    });
  }
}

/** A test that runs on each release. */
export function itOnEachRelease(
  title: string,
  test: (this: Mocha.Context, release: Release) => void | Promise<void>,
): void {
  for (const release of RELEASES) {
    it(`${title} (${release.name})`, function () {
      return test.call(this, release);
    });
  }
}
