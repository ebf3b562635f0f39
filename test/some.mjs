/**
 * The inner loop: builds what changed, then runs some of the tests: `node test/some.mjs FOLDER [ARGUMENT...]`. Arguments
 * that name a file or folder of test/ replace the folder; the others go to Mocha.
 */
import { statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { build, mocha, path } from './steps.mjs';

const [folder, ...args] = process.argv.slice(2);
const named = args.filter(isSource);
const sources = named.length > 0 ? named : [folder];
const rest = args.filter((arg) => !isSource(arg));
build();
const { failed } = await mocha([...sources.map(specOf), ...parallel(), ...rest], { env: { INNER_LOOP: 'true' } });
process.exitCode = failed > 0 ? 1 : 0;

function isSource(arg) {
  return /^(\.\/)?test\//.test(arg);
}

/** Unit tests share nothing, so that files run side by side. A single file is faster alone, and `--grep` would fail those without a match. */
function parallel() {
  const areUnits = sources.every((source) => /^(\.\/)?test\/unit\b/.test(source));
  return areUnits && sources.some(isFolder) && rest.length === 0
    ? ['--parallel', '--jobs', String(availableParallelism())]
    : [];
}

/** The built tests of a source file or folder. */
function specOf(source) {
  const built = source.replace(/^(\.\/)?test/, 'dist-test').replace(/\/$/, '');
  return isFolder(source) ? `${built}/**/*.test.js` : built.replace(/\.ts$/, '.js');
}

function isFolder(source) {
  return statSync(path(source), { throwIfNoEntry: false })?.isDirectory() ?? false;
}
