import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const script = fileURLToPath(new URL('../../test/deploy/licenses.mjs', import.meta.url));

describe('the licences of the production dependencies', () => {
  it('are all listed, and all permissive', () => {
    const { dependencies }: { dependencies: Record<string, string> } = JSON.parse(
      readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
    );
    const { status, stdout, stderr } = spawnSync(process.execPath, [script], { encoding: 'utf8' });
    const listed = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t')[1]);
    expect(status, `${stdout}${stderr}`).to.equal(0);
    expect(listed).to.include.members(Object.entries(dependencies).map(([name, version]) => `${name}@${version}`));
  });
});
