/**
 * The inner loop: builds what changed, then runs some of the tests: `node test/some.mjs FOLDER [ARGUMENT...]`. Arguments
 * that name a file or folder of test/ replace the folder; the others go to Mocha.
 */
import { statSync } from 'node:fs';
import { build, mocha, path } from './steps.mjs';

const [folder, ...args] = process.argv.slice(2);
const named = args.filter(isSource);
const specs = (named.length > 0 ? named : [folder]).map(specOf);
build();
const { failed } = await mocha([...specs, ...args.filter((arg) => !isSource(arg))], { env: { INNER_LOOP: 'true' } });
process.exitCode = failed > 0 ? 1 : 0;

function isSource(arg) {
  return /^(\.\/)?test\//.test(arg);
}

/** The built tests of a source file or folder. */
function specOf(source) {
  const built = source.replace(/^(\.\/)?test/, 'dist-test').replace(/\/$/, '');
  return statSync(path(source), { throwIfNoEntry: false })?.isDirectory()
    ? `${built}/**/*.test.js`
    : built.replace(/\.ts$/, '.js');
}
