/** Checks objects against the types of Kubernetes and of the Prometheus operator. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PrometheusRule } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PrometheusRule';
import { ServiceMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor';
import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import { StatefulSet } from 'kubernetes-models/apps/v1/StatefulSet';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import { ConfigMap } from 'kubernetes-models/v1/ConfigMap';
import { PersistentVolumeClaim } from 'kubernetes-models/v1/PersistentVolumeClaim';
import { Service } from 'kubernetes-models/v1/Service';
import { ServiceAccount } from 'kubernetes-models/v1/ServiceAccount';
import { type Manifest, root } from './helm.js';

/** What each kind must fit: required fields, types, patterns. */
function validate(manifest: Manifest): void {
  switch (manifest.kind) {
    case 'Deployment':
      return new Deployment(manifest).validate();
    case 'StatefulSet':
      return new StatefulSet(manifest).validate();
    case 'ConfigMap':
      return new ConfigMap(manifest).validate();
    case 'PersistentVolumeClaim':
      return new PersistentVolumeClaim(manifest).validate();
    case 'Service':
      return new Service(manifest).validate();
    case 'ServiceAccount':
      return new ServiceAccount(manifest).validate();
    case 'NetworkPolicy':
      return new NetworkPolicy(manifest).validate();
    case 'PodDisruptionBudget':
      return new PodDisruptionBudget(manifest).validate();
    case 'ServiceMonitor':
      return new ServiceMonitor(manifest).validate();
    case 'PrometheusRule':
      return new PrometheusRule(manifest).validate();
    default:
      throw new Error(`no type for ${JSON.stringify(manifest)}`);
  }
}

/** One line for each object that does not fit its type. */
export function invalid(manifests: readonly Manifest[]): string[] {
  return manifests.flatMap((manifest) => {
    try {
      validate(manifest);
      return [];
    } catch (error) {
      return [`${manifest.kind} ${manifest.metadata?.name}: ${String(error)}`];
    }
  });
}

/** The compiler's complaints: unlike `invalid` it also sees a field that the type does not have. Empty when there is none. */
export function compile(manifests: readonly Manifest[]): string {
  const cache = join(root, 'node_modules/.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'manifests-'));
  try {
    writeFileSync(join(folder, 'manifests.mts'), manifests.map(asSource).join('\n'));
    const compilerOptions = { noEmit: true, strict: true, skipLibCheck: true, module: 'nodenext', types: [] };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['manifests.mts'] }));
    return spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', folder], { encoding: 'utf8' }).stdout;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function asSource(manifest: Manifest): string {
  const models = manifest.apiVersion.startsWith('monitoring.coreos.com/')
    ? '@kubernetes-models/prometheus-operator'
    : 'kubernetes-models';
  // Younger than the types, whose later versions need Node.js 22; promtool checks the rules themselves.
  const text = JSON.stringify(manifest, (key, value: unknown) => (key === 'keep_firing_for' ? undefined : value));
  return `(${text}) satisfies import('${models}/${manifest.apiVersion}/${manifest.kind}').I${manifest.kind};`;
}
