/** The shipped docker-compose.yaml, as data. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { DEPLOY } from './rules-file.js';

export interface Service {
  readonly build?: unknown;
  readonly image: string;
  readonly command?: readonly string[];
  readonly ports: readonly string[];
  readonly volumes?: readonly string[];
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

interface Mount {
  /** A path relative to deploy/, or the name of a volume. */
  readonly source: string;
  readonly target: string;
  readonly mode: string | undefined;
  readonly isVolume: boolean;
}

export const compose: Compose = parse(readFileSync(new URL('docker-compose.yaml', DEPLOY), 'utf8'));

export function mountsOf({ volumes = [] }: Service): readonly Mount[] {
  return volumes.map((volume) => {
    const [source = '', target = '', mode] = volume.split(':');
    return { source, target, mode, isVolume: !source.startsWith('./') };
  });
}
