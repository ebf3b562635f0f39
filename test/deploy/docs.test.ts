import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { parseConfig } from '../../dist/config/load.js';
import { needTool } from '../helpers/tools.js';
import { root } from './helm.js';

const readme = readFileSync(join(root, 'deploy/README.md'), 'utf8');
const examples = [...readme.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, text = '']) => text);

/** The folders that the README names relative to its own. */
const BESIDE = /`((?:docker|helm|kubernetes|systemd|prometheus|alertmanager|grafana|runbooks)\/[\w./-]*)`/g;

describe('the instructions for running it', () => {
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'docs-'));
  });

  after(() => rmSync(folder, { recursive: true }));

  it('name files that are there', () => {
    const paths = ['deploy/README.md', 'SECURITY.md', 'CONTRIBUTING.md'].flatMap((document) =>
      [...readFileSync(join(root, document), 'utf8').matchAll(/\b(deploy\/[\w/.-]*\w)/g)].map(([, path = '']) => path),
    );
    paths.push(...[...readme.matchAll(BESIDE)].map(([, path = '']) => `deploy/${path}`));
    expect(paths.length).to.be.greaterThan(20);
    expect(paths.filter((path) => !existsSync(join(root, path)))).to.deep.equal([]);
  });

  it('show Prometheus configurations that promtool accepts', function () {
    const promtool = needTool(this, 'promtool', 'prometheus');
    const found = examples.filter((text) => text.includes('scrape_configs:'));
    for (const [index, text] of found.entries()) {
      const path = join(folder, `${index}.yaml`);
      writeFileSync(path, text);
      execFileSync(promtool, ['check', 'config', '--syntax-only', path], { stdio: 'pipe' });
    }
    expect(found).to.have.lengthOf(2);
  });

  it('show configurations that the exporter accepts', () => {
    for (const name of ['access_key_id', 'access_key_secret']) writeFileSync(join(folder, name), 'x');
    const env = { CREDENTIALS_DIRECTORY: folder, POD_NAME: 'exporter-3' };
    const found = examples.filter((text) => !text.includes('scrape_configs:'));
    for (const text of found) {
      const whole = text.includes('accounts:') ? text : `${text}\naccounts: [{name: a, regions: [cn-hangzhou]}]\n`;
      expect(() => parseConfig(whole, { file: 'README.md', env })).not.to.throw();
    }
    expect(found).to.have.lengthOf(2);
  });
});
