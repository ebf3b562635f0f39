/** The whole gate: types, lint, format, every test. `npm test -- --grep X` and the like go to mocha. */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { build, ci, mocha, path, run } from './steps.mjs';

const mochaArgs = process.argv.slice(2);
const SPEC = 'dist-test/**/*.test.js';

/** What is the same on every version of Node.js, or takes long: deployment and its alerts, documents, the page in a browser, Prometheus' side, faults. */
const ANY_NODE = [
  'deploy/**',
  'gate/**',
  'unit/layering.test.js',
  'unit/docs/**',
  'e2e/page-browser.test.js',
  'e2e/alerts.test.js',
  'faults/**',
  'e2e/demo-page.test.js',
  'e2e/large-fleet.test.js',
  'e2e/prometheus.test.js',
  'e2e/toolkit-prometheus.test.js',
];

/** A leftover of the incremental build would hide a missing emit. */
if (ci) for (const folder of ['dist', 'dist-test']) rmSync(path(folder), { recursive: true, force: true });

build();
run('npm', ['run', '--silent', 'lint']);
const STRICT = ['--forbid-pending', '--forbid-only'];
const results = [await mocha([SPEC, ...(ci ? STRICT : []), ...mochaArgs])];
if (ci && mochaArgs.length === 0) {
  for (const node of otherNodes()) {
    const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim();
    process.stdout.write(`\n${version}\n`);
    const ignored = ANY_NODE.flatMap((spec) => ['--ignore', `dist-test/${spec}`]);
    const result = await mocha([SPEC, ...STRICT, ...ignored], { node });
    results.push({ ...result, problems: result.problems.map((problem) => `${version} ${problem}`) });
  }
  const sum = (which) => results.reduce((total, one) => total + one[which], 0);
  const problems = results.flatMap((result) => result.problems).map((problem) => `${problem}\n`);
  process.stdout.write(`\n${problems.join('')}${sum('passed')} passed, ${sum('failed')} failed\n`);
}
if (results.some(({ failed }) => failed > 0)) process.exitCode = 1;

/** The other versions that are supported, unless this process runs on one of the same line. */
function otherNodes() {
  run('npm', ['install', '--prefix', 'test/nodes', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']);
  const { dependencies } = JSON.parse(readFileSync(path('test/nodes/package.json'), 'utf8'));
  const [major] = process.versions.node.split('.');
  return Object.keys(dependencies)
    .filter((name) => name !== `node-${major}`)
    .map((name) => path(`test/nodes/node_modules/${name}/bin/node`));
}
