import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { expect } from 'chai';
import { parse as parseYaml, stringify } from 'yaml';
import { parseConfig } from '../../dist/config/load.js';
import { doWithout, needTool } from '../helpers/tools.js';
import { chartFiles, OWNED, plainManifests } from './copies.js';
import { chart, ciValues, ensureHelm, helm, type Manifest, ofKind, parse, root, template, workloadOf } from './helm.js';
import { compile, invalid } from './kubernetes.js';

const ci = (name: string): Manifest[] => parse(template('--values', join(chart, 'ci', `${name}-values.yaml`)));
const minimal = ['--set', 'config.accounts[0].name=a'];

/** What the exporter would read. */
function configOf(manifests: readonly Manifest[]): Record<string, unknown> {
  const text = ofKind(manifests, 'ConfigMap').find(({ data }) => data?.['config.yaml'])?.data?.['config.yaml'];
  const config: Record<string, unknown> = parseYaml(text ?? '');
  return config;
}

function containerOf(manifests: readonly Manifest[]) {
  const [container, ...others] = workloadOf(manifests).spec?.template.spec?.containers ?? [];
  if (container === undefined || others.length > 0) throw new Error('expected one container');
  return container;
}

function refusal(...args: readonly string[]): string {
  const { ok, stderr } = helm('template', 'exporter', chart, ...args);
  expect(ok, 'rendered').to.equal(false);
  return stderr;
}

describe('the Helm chart', function () {
  this.timeout(180_000);

  before(function () {
    for (const tool of ['tar', 'unzip']) needTool(this, tool, tool);
    try {
      ensureHelm();
    } catch (error) {
      doWithout(this, `Helm could not be fetched: ${String(error)}`);
    }
  });

  it('has the version of the package', () => {
    const { version }: { version: string } = JSON.parse(read(join(root, 'package.json')));
    expect(parseYaml(read(join(chart, 'Chart.yaml')))).to.include({ version, appVersion: version });
  });

  it('passes lint, strictly, with its defaults and with each example of values', () => {
    for (const args of [[], ...ciValues.map((path) => ['--values', path])]) {
      const { ok, stdout, stderr } = helm('lint', '--strict', chart, ...args);
      expect(ok, `${args.join(' ')}\n${stdout}${stderr}`).to.equal(true);
    }
    expect(ciValues).to.have.lengthOf(5);
  });

  it('renders only objects that Kubernetes and the Prometheus operator accept, without an unknown field', () => {
    const manifests = ciValues.flatMap((path) => parse(template('--values', path)));
    expect(invalid(manifests)).to.deep.equal([]);
    expect(compile(manifests)).to.equal('');
  });

  it('is checked by types that see a wrong value and a misspelt field', () => {
    const service = ofKind(ci('demo'), 'Service')[0];
    const wrong: Manifest = JSON.parse(JSON.stringify(service).replace('10525', '"http"'));
    const misspelt: Manifest = JSON.parse(JSON.stringify(service).replace('"selector"', '"selectorr"'));
    expect(invalid([wrong])).to.have.lengthOf(1);
    expect(compile([misspelt])).to.contain('selectorr');
  });

  for (const path of ciValues) {
    it(`confines the pod and asks for no rights of its own (${basename(path)})`, () => {
      const manifests = parse(template('--values', path));
      const pod = workloadOf(manifests).spec?.template.spec;
      const container = containerOf(manifests);
      expect(pod).to.deep.include({ automountServiceAccountToken: false });
      expect(pod?.securityContext).to.deep.include({
        runAsNonRoot: true,
        runAsUser: 65_532,
        runAsGroup: 65_532,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      expect(container.securityContext).to.deep.equal({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect(container.image).to.match(/:0\.1\.0$|@sha256:[0-9a-f]{64}$/);
      const kinds = new Set(manifests.map(({ kind }) => kind as string));
      expect([...kinds].filter((kind) => /Role|Secret/.test(kind))).to.deep.equal([]);
    });

    it(`probes the process and not the cloud, and bounds its memory (${basename(path)})`, () => {
      const container = containerOf(parse(template('--values', path)));
      expect(container.livenessProbe?.httpGet).to.deep.include({ path: '/-/healthy', port: 'http' });
      expect(container.startupProbe?.httpGet).to.deep.include({ path: '/-/healthy', port: 'http' });
      expect(container.readinessProbe?.httpGet).to.deep.include({ path: '/-/ready', port: 'http' });
      expect(container.resources).to.deep.equal({
        requests: { cpu: '50m', memory: '128Mi' },
        limits: { memory: '512Mi' },
      });
      expect(container.env).to.deep.include({ name: 'NODE_OPTIONS', value: '--max-old-space-size=384' });
    });
  }

  it('runs one process at a time, since two would use the quota twice', () => {
    const workload = workloadOf(ci('static-keys'));
    expect(workload.kind).to.equal('Deployment');
    expect(workload.spec).to.deep.include({ replicas: 1, strategy: { type: 'Recreate' } });
    expect(configOf(ci('static-keys'))).not.to.have.property('sharding');
  });

  it('writes a configuration that the exporter accepts, for each shard', () => {
    const folder = mkdtempSync(join(tmpdir(), 'credentials-'));
    try {
      for (const name of ['access_key_id', 'access_key_secret']) writeFileSync(join(folder, name), 'x');
      for (const path of ciValues.filter((one) => !/demo|tls/.test(basename(one)))) {
        const manifests = parse(template('--values', path));
        const text = stringify(configOf(manifests)).replaceAll('/etc/exporter/credentials', folder);
        const shards = workloadOf(manifests).spec?.replicas ?? 0;
        const { config } = parseConfig(text, { file: path, env: { POD_NAME: `exporter-${shards - 1}` } });
        expect(config.sharding).to.deep.equal({ index: shards - 1, count: shards });
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('makes shards that start side by side, know their number and are scraped one by one', () => {
    const manifests = ci('sharded');
    const workload = workloadOf(manifests);
    const [service] = ofKind(manifests, 'Service');
    expect(workload.kind).to.equal('StatefulSet');
    expect(workload.spec).to.deep.include({
      replicas: 4,
      podManagementPolicy: 'Parallel',
      serviceName: service?.metadata?.name,
    });
    expect(configOf(manifests)['sharding']).to.deep.equal({ index: 'auto', count: 4 });
    expect(containerOf(manifests).env).to.deep.include({
      name: 'POD_NAME',
      valueFrom: { fieldRef: { fieldPath: 'metadata.name' } },
    });
    expect(service?.spec?.clusterIP).to.equal('None');
    expect(ofKind(manifests, 'PodDisruptionBudget')[0]?.spec?.maxUnavailable).to.equal(1);
    expect(ofKind(ci('static-keys'), 'PodDisruptionBudget')).to.deep.equal([]);
  });

  it('keeps the state on a volume: one claim for the single process, one for each shard', () => {
    for (const name of ['static-keys', 'sharded']) {
      const manifests = ci(name);
      const mount = containerOf(manifests).volumeMounts?.find((one) => one.name === 'state');
      expect(configOf(manifests)['state']).to.deep.equal({ path: mount?.mountPath });
    }
    expect(ofKind(ci('static-keys'), 'PersistentVolumeClaim')).to.have.lengthOf(1);
    expect(ofKind(ci('sharded'), 'PersistentVolumeClaim')).to.deep.equal([]);
    const workload = workloadOf(ci('sharded'));
    expect(workload.kind === 'StatefulSet' && workload.spec?.volumeClaimTemplates).to.have.lengthOf(1);
  });

  it('reads keys from a Secret that exists, as files where the configuration names them', () => {
    const manifests = ci('static-keys');
    const mount = containerOf(manifests).volumeMounts?.find((one) => one.name === 'credentials');
    expect(JSON.stringify(configOf(manifests))).to.contain(`"access_key_id_file":"${mount?.mountPath}/access_key_id"`);
    expect(JSON.stringify(workloadOf(manifests))).to.contain('"secretName":"exporter-credentials"');
  });

  it('names the RAM role on the service account for RRSA', () => {
    const [account] = ofKind(ci('rrsa'), 'ServiceAccount');
    expect(account?.metadata?.annotations).to.deep.equal({
      'pod-identity.alibabacloud.com/role-name': 'rds-backup-exporter',
    });
  });

  it('opens the port of the pod, not of the Service, to the monitoring namespace alone', () => {
    const manifests = parse(
      template('--values', join(chart, 'ci/static-keys-values.yaml'), '--set', 'service.port=80,containerPort=9999'),
    );
    const ingress = ofKind(manifests, 'NetworkPolicy')[0]?.spec?.ingress;
    expect(ingress).to.deep.equal([
      {
        from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }],
        ports: [{ port: 9999, protocol: 'TCP' }],
      },
    ]);
    expect(containerOf(manifests).args).to.include('--web.listen-address=:9999');
  });

  it('has a ServiceMonitor that finds its Service, its port and its path', () => {
    for (const name of ['static-keys', 'sharded', 'demo', 'tls']) {
      const manifests = ci(name);
      const [monitor] = ofKind(manifests, 'ServiceMonitor');
      const [service] = ofKind(manifests, 'Service');
      const [endpoint] = monitor?.spec.endpoints ?? [];
      expect(service?.metadata?.labels).to.include(monitor?.spec.selector.matchLabels ?? {});
      expect(service?.spec?.ports?.map((port) => port.name)).to.deep.equal([endpoint?.port]);
      expect(containerOf(manifests).args).to.include(`--web.telemetry-path=${endpoint?.path}`);
      expect(service?.spec?.selector).to.deep.equal(workloadOf(manifests).spec?.selector.matchLabels);
    }
  });

  it('takes its TLS and basic auth from a Secret, and probes and scrapes accordingly', () => {
    const manifests = ci('tls');
    const container = containerOf(manifests);
    expect(container.args).to.include('--web.config.file=/etc/exporter/web/web-config.yaml');
    expect(container.livenessProbe?.httpGet).to.deep.include({
      scheme: 'HTTPS',
      httpHeaders: [{ name: 'Authorization', value: 'Basic cHJvYmU6cHJvYmU=' }],
    });
    expect(ofKind(manifests, 'ServiceMonitor')[0]?.spec.endpoints[0]?.scheme).to.equal('https');
  });

  it('starts anew when its configuration changes', () => {
    const checksum = (...args: string[]) =>
      workloadOf(parse(template(...minimal, ...args))).spec?.template.metadata?.annotations?.['checksum/config'];
    expect(checksum()).to.equal(checksum());
    expect(checksum('--set', 'config.accounts[0].regions={cn-beijing}')).not.to.equal(checksum());
  });

  it('says after the installation how to look at it and what it goes without', () => {
    const notes = (...args: string[]) => {
      const { ok, stdout, stderr } = helm('install', 'exporter', chart, '--dry-run=client', ...args);
      expect(ok, stderr).to.equal(true);
      return stdout.split('\nNOTES:\n')[1] ?? '';
    };
    const program = /ENTRYPOINT \["(\S+)", .*"(\S+)"\]/.exec(read(join(root, 'deploy/docker/Dockerfile')))?.slice(1);
    const plain = notes(...minimal);
    expect(plain).to.contain('port-forward service/exporter-alicloud-rds-backup-exporter 10525:10525');
    expect(plain).to.contain(
      `exec deployment/exporter-alicloud-rds-backup-exporter -- \\\n    ${program?.join(' ')} --config`,
    );
    expect(plain).to.match(/^Nothing scrapes it yet/m);
    expect(plain).to.match(/^No alert is installed yet/m);
    expect(plain).to.match(/^First-seen times and outcomes are forgotten at a restart/m);
    const demo = notes('--values', join(chart, 'ci/demo-values.yaml'));
    expect(demo).to.match(/^The exporter runs against its built-in simulator/);
    expect(demo).to.match(/^WARNING: the cluster does not know the kind PrometheusRule/m);
    expect(demo).not.to.match(/--config\.check|yet:/);
    expect(notes('--values', join(chart, 'ci/sharded-values.yaml'))).to.contain('in 4 shards');
  });

  const refusals: [string, string[], string][] = [
    ['no configuration', [], 'config.accounts is empty'],
    ['a misspelt value', [...minimal, '--set', 'serviceMonitors.enabled=true'], "'serviceMonitors' not allowed"],
    [
      'a scrape interval longer than the ranges of the rules allow',
      [...minimal, '--set', 'serviceMonitor.interval=121s'],
      "'/serviceMonitor/interval': '121s' does not match pattern",
    ],
    ['no shard', [...minimal, '--set', 'shards=0'], "'/shards': minimum: got 0, want 1"],
    ['a number as a label', [...minimal, '--set', 'podLabels.a=1'], "'/podLabels/a': got number, want string"],
    [
      'sharding by hand',
      [...minimal, '--set', 'config.sharding.count=2'],
      'config.sharding and config.state are written',
    ],
    ['state by hand', [...minimal, '--set', 'config.state.path=/x'], 'config.sharding and config.state are written'],
    ['the demo with a configuration', [...minimal, '--set', 'demo.enabled=true'], 'demo.enabled ignores config'],
    ['a demo in shards', ['--set', 'demo.enabled=true,shards=2'], 'demo.enabled knows neither shards nor state'],
    ['two configurations', [...minimal, '--set', 'existingConfigMap=x'], 'config and existingConfigMap are both set'],
    [
      'one claim for many shards',
      [...minimal, '--set', 'shards=2,state.enabled=true,state.existingClaim=x'],
      'state.existingClaim is one claim',
    ],
    [
      'a RAM role without a service account to carry it',
      [...minimal, '--set', 'serviceAccount.create=false,serviceAccount.rrsaRole=x'],
      'set serviceAccount.create=true',
    ],
  ];
  for (const [what, args, message] of refusals) {
    it(`refuses ${what}`, () => {
      expect(refusal(...args)).to.contain(message);
    });
  }

  describe('and its copies', () => {
    it('carry the shipped rules and dashboards, byte for byte', () => {
      for (const [path, text] of chartFiles()) expect(read(path), path).to.equal(text);
    });

    it('are the plain manifests that it renders', () => {
      for (const [path, text] of plainManifests()) expect(read(path), path).to.equal(text);
    });

    it('have no file left over', () => {
      const expected = new Set([...chartFiles().keys(), ...plainManifests().keys()]);
      const found = OWNED.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)));
      expect(found.filter((path) => !expected.has(path))).to.deep.equal([]);
    });

    it('hold the rules as they are, templates of alerts included', () => {
      const rules: unknown = parseYaml(read(join(root, 'deploy/prometheus/rules.yaml')));
      expect(ofKind(ci('demo'), 'PrometheusRule')[0]?.spec).to.deep.equal(rules);
    });

    it('make a ConfigMap for each dashboard', () => {
      const dashboards = ofKind(ci('static-keys'), 'ConfigMap').filter(
        ({ metadata }) => metadata?.labels?.['grafana_dashboard'],
      );
      const held = dashboards.map(({ data }) => Object.entries(data ?? {})[0]);
      const shipped = [...chartFiles()].filter(([path]) => path.endsWith('.json'));
      expect(held).to.deep.equal(shipped.map(([path, text]) => [basename(path), text]));
    });
  });
});

function read(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : '(missing)';
}
