/** What the gate and the inner loop share: the build, and Mocha in a temporary directory of its own. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ci = process.env.CI === 'true';
const root = new URL('..', import.meta.url);

/** Builds what changed, in a fresh clone with everything it needs. The output of a deleted source is removed first: it would still be imported, run and packed. */
export function build() {
  if (!existsSync(path('node_modules'))) run('npm', ['run', '--silent', 'setup']);
  removeStale('src', 'dist');
  removeStale('test', 'dist-test');
  run('npm', ['run', '--silent', 'typecheck']);
}

function removeStale(sources, output) {
  if (!existsSync(new URL(output, root))) return;
  for (const name of readdirSync(new URL(output, root), { recursive: true })) {
    const [, stem] = /^(.+)(?:\.d\.ts|\.js|\.js\.map)$/.exec(name) ?? [];
    if (stem !== undefined && !existsSync(new URL(`${sources}/${stem}.ts`, root))) rmSync(path(`${output}/${name}`));
  }
}

/**
 * Runs Mocha on `node`. A run that breaks counts as a failure, as does one that leaves anything in the temporary
 * directory. Under CI=true it resolves to how many tests passed and failed, by the reporter's last lines, and to what went wrong.
 */
export async function mocha(args, { node = process.execPath, env = {} } = {}) {
  const temporary = mkdtempSync(join(tmpdir(), 'exporter-tests-'));
  const child = spawn(node, [path('node_modules/mocha/bin/mocha.js'), ...args], {
    cwd: root,
    stdio: ['ignore', ci ? 'pipe' : 'inherit', 'inherit'],
    // Whatever asks for `node` gets this one.
    env: environment({ PATH: `${dirname(node)}${delimiter}${process.env.PATH}`, TMPDIR: temporary, ...env }),
  });
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    process.stdout.write(text);
    output = (output + text).slice(-20_000);
  });
  const status = await new Promise((resolve) => child.once('close', resolve));
  const left = readdirSync(temporary, { recursive: true }).toSorted();
  const problems = left.length > 0 ? [`the tests left behind in the temporary directory: ${left.join(', ')}`] : [];
  for (const problem of problems) process.stderr.write(`\n${problem}\n`);
  rmSync(temporary, { recursive: true, force: true });
  const [, passed = 0, failed = 0] = /^(\d+) passed, (\d+) failed\b.*\n$/m.exec(output) ?? [];
  return {
    passed: Number(passed),
    failed: Math.max(Number(failed), Number(status !== 0 || left.length > 0)),
    problems: [...(output.match(/^failed: .*$/gm) ?? []), ...problems],
  };
}

/** Runs a command to its end; the whole process ends with 1 if it fails. */
export function run(command, args) {
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 2, 'inherit'],
    env: environment(),
  });
  if (error) throw error;
  if (status === 0) return;
  process.stderr.write(`\n${command} ${args.join(' ')} failed\n`);
  process.exit(1);
}

function environment(over = {}) {
  return { ...process.env, ALIBABA_CLOUD_ECS_METADATA_DISABLED: 'true', ...over };
}

export function path(name) {
  return fileURLToPath(new URL(name, root));
}
