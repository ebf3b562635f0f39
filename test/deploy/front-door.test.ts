import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import { root } from './helm.js';

interface Manifest {
  readonly homepage: string;
  readonly bugs: { readonly url: string };
  readonly repository: { readonly url: string };
  readonly engines: { readonly node: string };
}

const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const manifest: Manifest = JSON.parse(read('package.json'));
const home = manifest.homepage.replace('#readme', '');

describe('what a contributor meets first', () => {
  it('is the oldest supported Node.js everywhere', () => {
    const [, major] = /^\^(\d+)\./.exec(manifest.engines.node) ?? [];
    expect(read('.nvmrc').trim()).to.equal(major);
    expect(read('.devcontainer/Dockerfile')).to.match(new RegExp(`^FROM node:${major}-`, 'm'));
    expect(read('.github/workflows/ci.yaml')).to.include(`image: node:${major}-`);
  });

  it('is a devcontainer with each Debian package that the gate installs', () => {
    const [, packages = ''] = /^packages='([^']*)'/m.exec(read('.ci/run')) ?? [];
    const [, installed = ''] =
      /--no-install-recommends((?: |\\\n|[\w-])*)/.exec(read('.devcontainer/Dockerfile')) ?? [];
    const wanted = packages.split(/\s+/);
    expect(wanted).to.have.length.greaterThan(5);
    expect(installed.split(/[\s\\]+/).filter(Boolean)).to.have.members(wanted);
    expect(() => JSON.parse(read('.devcontainer/devcontainer.json'))).not.to.throw();
  });

  it('is a workflow that runs the gate, and issue forms', () => {
    const { jobs } = parse(read('.github/workflows/ci.yaml')) as { jobs: { gate: { steps: { run?: string }[] } } };
    expect(jobs.gate.steps.map(({ run }) => run)).to.include('.ci/run');
    const forms = readdirSync(join(root, '.github/ISSUE_TEMPLATE')).filter((name) => name !== 'config.yml');
    for (const name of forms) {
      expect(parse(read(`.github/ISSUE_TEMPLATE/${name}`)), name).to.include.keys('name', 'description', 'body');
    }
    expect(forms).not.to.deep.equal([]);
  });

  it('is one address of the repository', () => {
    expect(manifest.repository.url).to.equal(`git+${home}.git`);
    expect(manifest.bugs.url).to.equal(`${home}/issues`);
    expect(read('deploy/docker/Dockerfile')).to.include(`org.opencontainers.image.source="${home}"`);
    expect(read('.github/ISSUE_TEMPLATE/config.yml')).to.include(`${home}/security/`);
    expect(read('docs/release.md')).to.include(home);
  });
});
