import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { parseConfig } from '../../dist/config/load.js';
import { itOnEachRelease } from '../helpers/release.js';
import { documents } from './documents.js';
import { root } from './helm.js';
import { ALERTS } from './rules-file.js';

const readme = readFileSync(join(root, 'deploy/README.md'), 'utf8');
const examples = [...readme.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, text = '']) => text);

/** As links name them: in small letters, with hyphens for spaces, without punctuation. */
function headingsOf(text: string): readonly string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  );
}

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

  it('link to pages and headings that exist', () => {
    const broken = documents.flatMap(({ path, text }) =>
      [...text.matchAll(/\]\((?!https:)([^)#]*)#?([^)]*)\)/g)]
        .filter(([, target = '', heading = '']) => {
          const file = target === '' ? path : join(dirname(path), target);
          return !existsSync(file) || (heading !== '' && !headingsOf(readFileSync(file, 'utf8')).includes(heading));
        })
        .map(([link]) => `${path}: ${link}`),
    );
    expect(documents).to.have.length.greaterThan(20);
    expect(broken).to.deep.equal([]);
  });

  it('say of each alert how severe it is and what it means', () => {
    const rows = [
      ...readFileSync(join(root, 'README.md'), 'utf8').matchAll(
        /^\| \[(\w+)\]\(deploy\/runbooks\/.* \| (\w+) \| .+ \|$/gm,
      ),
    ];
    const said = rows.map(([, alert, severity]) => `${alert} ${severity}`);
    expect(said).to.have.members(ALERTS.map(({ alert, labels }) => `${alert} ${labels?.severity}`));
  });

  itOnEachRelease('show Prometheus configurations that promtool accepts', function (release) {
    const promtool = release.need(this, 'promtool');
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
