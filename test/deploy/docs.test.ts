import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, posix } from 'node:path';
import { expect } from 'chai';
import { parseConfig } from '../../dist/config/load.js';
import { itOnEachRelease } from '../helpers/release.js';
import { codeBlocks, documentNamed, documents, relativeLinks } from './documents.js';
import { root } from './helm.js';
import { METRICS, namesIn } from './metric-names.js';
import { ALERTS, RULES } from './rules-file.js';

/** As links name them: in small letters, with hyphens for spaces, without punctuation. */
function headingsOf(text: string): readonly string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  );
}

/** The folders that deploy/README.md names relative to its own. */
const BESIDE = /`((?:docker|helm|kubernetes|systemd|prometheus|alertmanager|grafana|runbooks)\/[\w./-]*)`/g;

/** YAML blocks by what they configure: what a reader pastes must work. */
const examples = documents.flatMap((document) =>
  codeBlocks(document, 'yaml').map((text) => ({ name: document.name, text, kind: kindOf(text) })),
);

function kindOf(text: string): 'prometheus' | 'rules' | 'exporter' | 'other' {
  if (/^scrape_configs:/m.test(text)) return 'prometheus';
  if (/^groups:/m.test(text)) return 'rules';
  return /^(accounts|polling|sharding|state):/m.test(text) ? 'exporter' : 'other';
}

function examplesOf(kind: ReturnType<typeof kindOf>): readonly { name: string; text: string }[] {
  const found = examples.filter((example) => example.kind === kind);
  expect(found, kind).not.to.deep.equal([]);
  return found;
}

const manifest: { readonly files: readonly string[]; readonly scripts: Readonly<Record<string, string>> } = JSON.parse(
  readFileSync(join(root, 'package.json'), 'utf8'),
);

describe('the documents', () => {
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'docs-'));
  });

  after(() => rmSync(folder, { recursive: true }));

  it('name files that are there', () => {
    const paths = documents.flatMap(({ text }) =>
      [...text.matchAll(/(?<![\w./-])(deploy\/[\w/.-]*\w)/g)].map(([, path = '']) => path),
    );
    paths.push(
      ...[...documentNamed('deploy/README.md').text.matchAll(BESIDE)].map(([, path = '']) => `deploy/${path}`),
    );
    expect(paths.length).to.be.greaterThan(20);
    expect(paths.filter((path) => !existsSync(join(root, path)))).to.deep.equal([]);
  });

  it('link to pages and headings that exist', () => {
    const broken = documents.flatMap((document) =>
      relativeLinks(document)
        .filter(({ target, anchor }) => {
          const file = target === '' ? document.path : join(dirname(document.path), target);
          return !existsSync(file) || (anchor !== '' && !headingsOf(readFileSync(file, 'utf8')).includes(anchor));
        })
        .map(({ target, anchor }) => `${document.name}: ${target}#${anchor}`),
    );
    expect(documents).to.have.length.greaterThan(30);
    expect(broken).to.deep.equal([]);
  });

  it('are all reached by links from the README', () => {
    const reached = new Set(['README.md']);
    for (const name of reached) {
      const document = documents.find((one) => one.name === name);
      for (const { target } of document === undefined ? [] : relativeLinks(document)) {
        if (target !== '') reached.add(posix.join(posix.dirname(name), target));
      }
    }
    expect(documents.map(({ name }) => name).filter((name) => !reached.has(name))).to.deep.equal([]);
  });

  it('link to nothing that the package does not contain', () => {
    const packed = ['README.md', 'LICENSE', 'package.json', ...manifest.files];
    const isPacked = (path: string): boolean => packed.some((entry) => path === entry || path.startsWith(`${entry}/`));
    const missing = documents
      .filter(({ name }) => isPacked(name))
      .flatMap((document) =>
        relativeLinks(document)
          .map(({ target }) => (target === '' ? document.name : posix.join(posix.dirname(document.name), target)))
          .filter((target) => !isPacked(target))
          .map((target) => `${document.name}: ${target}`),
      );
    expect(missing).to.deep.equal([]);
  });

  it('name scripts that package.json has', () => {
    const unknown = documents.flatMap(({ name, text }) =>
      [...text.matchAll(/\bnpm run ([\w:]+)/g)]
        .filter(([, script = '']) => !Object.hasOwn(manifest.scripts, script))
        .map(([command]) => `${name}: ${command}`),
    );
    expect(unknown).to.deep.equal([]);
  });

  it('name each Debian package that the gate installs', () => {
    const [, packages = ''] = /^packages='([^']*)'/m.exec(readFileSync(join(root, '.ci/run'), 'utf8')) ?? [];
    const { text } = documentNamed('CONTRIBUTING.md');
    const wanted = packages.split(/\s+/);
    expect(wanted).to.have.length.greaterThan(5);
    expect(wanted.filter((name) => !text.includes(`\`${name}\``))).to.deep.equal([]);
  });

  it('begin with a README that is read in a few minutes', () => {
    expect(documentNamed('README.md').text.split('\n')).to.have.length.at.most(150);
  });

  it('name only metrics that the exporter has, and series that the rules record', () => {
    const known = new Set([...METRICS, ...RULES.map(({ record }) => record)]);
    const unknown = documents.flatMap(({ name, text }) =>
      namesIn(text)
        .filter((metric) => !known.has(metric))
        .map((metric) => `${name}: ${metric}`),
    );
    expect(unknown).to.deep.equal([]);
  });

  it('say of each alert how severe it is and what it means', () => {
    const rows = [
      ...documentNamed('docs/alerts.md').text.matchAll(
        /^\| \[(\w+)\]\(\.\.\/deploy\/runbooks\/\1\.md\) \| (\w+) \| .+ \|$/gm,
      ),
    ];
    const said = rows.map(([, alert, severity]) => `${alert} ${severity}`);
    expect(said).to.have.members(ALERTS.map(({ alert, labels }) => `${alert} ${labels?.severity}`));
  });

  itOnEachRelease('show Prometheus configurations that promtool accepts', function (release) {
    const promtool = release.need(this, 'promtool');
    for (const { name, text } of examplesOf('prometheus')) {
      const path = join(folder, 'prometheus.yaml');
      writeFileSync(path, text);
      expect(
        () => execFileSync(promtool, ['check', 'config', '--syntax-only', path], { stdio: 'pipe' }),
        name,
      ).not.to.throw();
    }
  });

  itOnEachRelease('show rules that promtool accepts', function (release) {
    const promtool = release.need(this, 'promtool');
    for (const { name, text } of examplesOf('rules')) {
      const path = join(folder, 'rules.yaml');
      writeFileSync(path, text);
      expect(() => execFileSync(promtool, ['check', 'rules', path], { stdio: 'pipe' }), name).not.to.throw();
    }
  });

  it('show configurations that the exporter accepts', () => {
    for (const key of ['access_key_id', 'access_key_secret']) writeFileSync(join(folder, key), 'x');
    const env = {
      ALIBABA_CLOUD_ACCESS_KEY_ID: 'x',
      ALIBABA_CLOUD_ACCESS_KEY_SECRET: 'x',
      CREDENTIALS_DIRECTORY: folder,
      POD_NAME: 'exporter-3',
    };
    for (const { name, text } of examplesOf('exporter')) {
      const whole = text.includes('accounts:') ? text : `${text}\naccounts: [{name: a, regions: [cn-hangzhou]}]\n`;
      expect(() => parseConfig(whole, { file: name, env }), name).not.to.throw();
    }
  });
});
