import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Every file whose types a project of the compiler sees. */
function filesOf(project: string): string[] {
  const tsc = `${root}node_modules/.bin/tsc`;
  return execFileSync(tsc, ['-p', project, '--listFilesOnly'], { cwd: root, encoding: 'utf8' }).trimEnd().split('\n');
}

describe('the types', () => {
  it('of a browser are unknown to the program', () => {
    const files = filesOf('.');
    expect(files.filter((path) => path.includes('/src/collector/'))).not.to.deep.equal([]);
    expect(files.filter((path) => /\blib\.dom\b|\/src\/status\/browser\//.test(path))).to.deep.equal([]);
  });

  it("of Node.js are unknown to the page's script", () => {
    const files = filesOf('src/status/browser');
    expect(files.filter((path) => path.endsWith('/src/status/browser/main.ts'))).to.have.length(1);
    expect(files.filter((path) => path.includes('/@types/'))).to.deep.equal([]);
  });
});
