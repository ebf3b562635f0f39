/** The whole gate: types, lint, format, every test. `npm test -- --grep X` and the like go to mocha. */
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { delimiter, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = new URL('..', import.meta.url);
const ci = process.env.CI === 'true';
const mochaArgs = process.argv.slice(2);
const SPEC = 'dist-test/**/*.test.js';

/** What is the same on every version of Node.js, or takes long: deployment and its alerts, documents, the page in a browser, Prometheus' side, faults. */
const ANY_NODE = [
  'deploy/**',
  'gate/**',
  'unit/layering.test.js',
  'unit/readme.test.js',
  'e2e/page-browser.test.js',
  'e2e/alerts.test.js',
  'faults/**',
  'e2e/demo-page.test.js',
  'e2e/large-fleet.test.js',
  'e2e/prometheus.test.js',
  'e2e/toolkit-prometheus.test.js',
];

/** Output of deleted sources must not be tested. A leftover of the incremental build would also hide a missing emit. */
if (ci) for (const folder of ['dist', 'dist-test']) rmSync(new URL(folder, root), { recursive: true, force: true });

for (const [tool, ...args] of [
  ['tsc', '-b', '.', 'src/web/browser', 'test'],
  ['oxlint', '--type-aware', '--quiet'],
  ['oxfmt', '--check'],
]) {
  run(path(`node_modules/.bin/${tool}`), args);
}
const counts = [await mocha(process.execPath, ci ? ['--forbid-pending', '--forbid-only', ...mochaArgs] : mochaArgs)];
if (ci && mochaArgs.length === 0) {
  for (const node of otherNodes()) {
    process.stdout.write(`\n${spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout}`);
    const ignored = ANY_NODE.flatMap((spec) => ['--ignore', `dist-test/${spec}`]);
    counts.push(await mocha(node, ['--forbid-pending', '--forbid-only', ...ignored]));
  }
  const sum = (which) => counts.reduce((total, one) => total + one[which], 0);
  process.stdout.write(`\n${sum('passed')} passed, ${sum('failed')} failed\n`);
}
if (counts.some(({ failed }) => failed > 0)) process.exit(1);

/** The other versions that are supported, unless this process runs on one of the same line. */
function otherNodes() {
  run('npm', ['install', '--prefix', 'test/nodes', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']);
  const { dependencies } = JSON.parse(readFileSync(new URL('test/nodes/package.json', root), 'utf8'));
  const [major] = process.versions.node.split('.');
  return Object.keys(dependencies)
    .filter((name) => name !== `node-${major}`)
    .map((name) => path(`test/nodes/node_modules/${name}/bin/node`));
}

/** Runs the tests on `node`; how many passed and failed by the reporter's last line. A run that breaks counts as a failure. */
async function mocha(node, args) {
  const child = spawn(node, [path('node_modules/mocha/bin/mocha.js'), SPEC, ...args], {
    cwd: root,
    stdio: ['ignore', ci ? 'pipe' : 'inherit', 'inherit'],
    // Whatever asks for `node` gets this one.
    env: environment(`${dirname(node)}${delimiter}${process.env.PATH}`),
  });
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    process.stdout.write(text);
    output = (output + text).slice(-200);
  });
  const status = await new Promise((resolve) => child.once('close', resolve));
  const [, passed = 0, failed = 0] = /^(\d+) passed, (\d+) failed\b.*\n$/m.exec(output) ?? [];
  return { passed: Number(passed), failed: Math.max(Number(failed), Number(status !== 0)) };
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 2, 'inherit'],
    env: environment(process.env.PATH),
  });
  if (error) throw error;
  if (status === 0) return;
  process.stderr.write(`\n${command} ${args.join(' ')} failed\n`);
  process.exit(1);
}

function environment(PATH) {
  return { ...process.env, PATH, ALIBABA_CLOUD_ECS_METADATA_DISABLED: 'true' };
}

function path(name) {
  return fileURLToPath(new URL(name, root));
}
