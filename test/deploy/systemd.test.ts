import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { needTool } from '../helpers/tools.js';

const NAME = 'alicloud-rds-backup-exporter.service';
const demo = readFileSync(new URL('../../deploy/systemd/demo.conf', import.meta.url), 'utf8');
const unit = readFileSync(new URL(`../../deploy/systemd/${NAME}`, import.meta.url), 'utf8');

describe('the systemd unit', () => {
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'unit-'));
    // verify wants every program to exist; Node is elsewhere on some machines.
    writeFileSync(join(folder, NAME), unit.replace('ExecStart=/usr/bin/node', `ExecStart=${process.execPath}`));
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  function analyze(context: Mocha.Context, ...args: string[]) {
    const tool = needTool(context, 'systemd-analyze', 'systemd');
    return spawnSync(tool, [...args, join(folder, NAME)], { encoding: 'utf8' });
  }

  it('holds no key that systemd does not know', function () {
    const { status, stderr } = analyze(this, 'verify');
    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' });
  });

  it('turns into the demo by its drop-in, with the same options of Node and without keys', function () {
    const dropIn = join(folder, `${NAME}.d`);
    mkdirSync(dropIn);
    writeFileSync(join(dropIn, 'demo.conf'), demo.replace('=/usr/bin/node', `=${process.execPath}`));
    const { status, stderr } = analyze(this, 'verify');
    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' });
    const start = /^ExecStart=\S.* --/m;
    expect(start.exec(demo)?.[0]).to.equal(start.exec(unit)?.[0]);
    expect(demo).to.match(/^LoadCredential=$/m);
  });

  it('is exposed 2.0 or less', function () {
    const { status, stdout } = analyze(this, 'security', '--offline=yes', '--no-pager', '--threshold=20');
    expect(status, stdout).to.equal(0);
  });

  it('reloads by SIGHUP, restarts after a crash but not after a wrong configuration, and lets V8 compile', () => {
    const lines = unit.split('\n');
    expect(lines).to.include.members([
      'ExecReload=/bin/kill -HUP $MAINPID',
      'Restart=on-failure',
      'RestartPreventExitStatus=2',
    ]);
    expect(lines.filter((line) => line.startsWith('MemoryDenyWriteExecute'))).to.deep.equal([]);
  });

  it('limits the heap below the memory', () => {
    expect(unit)
      .to.match(/^MemoryMax=512M$/m)
      .and.to.match(/^Environment=NODE_OPTIONS=--max-old-space-size=384$/m);
  });

  it('takes the keys as credentials and none from the environment', () => {
    expect(unit.match(/^LoadCredential=\w+/gm)).to.deep.equal([
      'LoadCredential=access_key_id',
      'LoadCredential=access_key_secret',
    ]);
    expect(unit).not.to.match(/ALIBABA_CLOUD_/);
  });
});
