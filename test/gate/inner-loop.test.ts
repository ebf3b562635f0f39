import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { UsageError } from '../../dist/errors.js';
import { parseFlags } from '../../dist/cli/flags.js';
import { Scratch } from '../helpers/program.js';

const root = fileURLToPath(new URL('../../', import.meta.url));

describe('the inner loop', function () {
  this.timeout(60_000);
  const scratch = new Scratch();
  after(() => scratch.remove());

  /** What `npm run test:unit -- ARGUMENT...` does, but for the time npm takes. */
  function testUnit(...args: string[]): { status: number | null; output: string; suites: string[]; counts: string } {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['test/some.mjs', 'test/unit', ...args], {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, CI: 'false' },
    });
    const suites = [...stdout.matchAll(/^ {2}(?!\d+ passing)(\S.*)$/gm)].map(([, title = '']) => title);
    return { status, output: `${stdout}${stderr}`, suites, counts: stdout.trimEnd().split('\n').at(-1) ?? '' };
  }

  it('runs one file when one is named', () => {
    const { status, output, suites, counts } = testUnit('test/unit/log.test.ts');
    expect(status, output).to.equal(0);
    expect(suites).to.deep.equal(['the logger']);
    expect(counts).to.match(/^[1-9]\d* passed, 0 failed$/);
  });

  it('runs the folders and files that are named, and hands every other argument to Mocha', () => {
    const { suites, counts } = testUnit(
      'test/unit/exporter/',
      './test/unit/log.test.ts',
      '--grep',
      'leaves out what is below',
    );
    expect({ suites, counts }).to.deep.equal({ suites: ['the logger'], counts: '1 passed, 0 failed' });
  });

  it('fails when a file that is named does not exist', () => {
    const { status, output } = testUnit('test/unit/none.test.ts');
    expect(status).to.equal(1);
    expect(output).to.include('dist-test/unit/none.test.js');
  });

  it('removes the output of deleted sources, which would be run, imported and packed', () => {
    const stale = [
      'dist-test/unit/exporter/deleted.test.js',
      'dist/deleted.js',
      'dist/deleted.js.map',
      'dist/deleted.d.ts',
    ];
    for (const path of stale) writeFileSync(`${root}${path}`, 'throw new Error("stale");');
    const { status, output } = testUnit('test/unit/exporter');
    expect(status, output).to.equal(0);
    expect(stale.filter((path) => existsSync(`${root}${path}`))).to.deep.equal([]);
  });

  it('gives the tests a temporary directory of their own, and fails when they leave something in it', () => {
    const litter = scratch.file(
      'litter.cjs',
      "require('fs').mkdirSync(`${process.env.TMPDIR}/litter-x/y`, { recursive: true });",
    );
    const { status, output } = testUnit('test/unit/log.test.ts', '--file', litter);
    expect(status).to.equal(1);
    expect(output).to.match(/^the tests left behind in the temporary directory: litter-x, litter-x\/y$/m);
    expect(existsSync(`${tmpdir()}/litter-x`)).to.equal(false);
  });

  it('finds nothing in it when all tests are left out, as by --grep', () => {
    const mocha = ['node_modules/mocha/bin/mocha.js', '--dry-run', 'dist-test/**/*.test.js'];
    const { status, stderr } = spawnSync(process.execPath, mocha, {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, TMPDIR: scratch.path },
    });
    expect(status, stderr).to.equal(0);
    expect(readdirSync(scratch.path).filter((name) => name.startsWith('exporter-'))).to.deep.equal([]);
  });

  it('ends with why tests were skipped, and the counts', () => {
    const file = scratch.file(
      'skipped.cjs',
      `it('needs a program', async function () {
        const { needTool } = await import(${JSON.stringify(`${root}dist-test/helpers/tools.js`)});
        needTool(this, 'none-such', 'none-such-utils');
      });`,
    );
    const { status, output } = testUnit('test/unit/log.test.ts', '--file', file);
    expect(status, output).to.equal(0);
    expect(output).to.match(
      /\nskipped: none-such is missing: install the Debian package none-such-utils\n\d+ passed, 0 failed, 1 skipped\n$/,
    );
  });

  it('ends with the names of the tests that failed, and the counts', () => {
    const file = scratch.file('failing.cjs', "describe('a sum', () => it('is right', () => { throw new Error(); }));");
    const { status, output } = testUnit('test/unit/log.test.ts', '--file', file);
    expect(status).to.equal(1);
    expect(output).to.match(/\nfailed: a sum is right\n\d+ passed, 1 failed\n$/);
  });

  it('runs the files of a folder side by side, and tells of all', () => {
    const { status, output } = testUnit('test/unit/docs', 'test/unit/log.test.ts');
    expect(status, output).to.equal(0);
    for (const suite of ['the logger', 'the metric tables of the documentation'])
      expect(output).to.include(`\n  ${suite}\n`);
    expect(output).to.match(/\n[1-9]\d* passed, 0 failed\n$/);
  });

  it('names the lines of TypeScript sources in a stack trace', () => {
    let error: unknown;
    try {
      parseFlags(['--none']);
    } catch (caught) {
      error = caught;
    }
    expect(error).to.be.an.instanceof(UsageError);
    const { stack } = error as UsageError;
    expect(stack).to.match(/\/src\/cli\/flags\.ts:\d+:\d+/);
    expect(stack).to.match(/\/test\/gate\/inner-loop\.test\.ts:\d+:\d+/);
  });
});
