/** An exposition, taken apart by instance. */
import { parseText } from '../unit/metrics/parse.js';
import type { Series } from '../unit/metrics/parse.js';

const PREFIX = 'alicloud_rds_backup_';

export class Page {
  /** Series by place and instance id, then by family. */
  readonly instances = new Map<string, InstancePage>();
  readonly own: readonly Series[];

  /** @throws on text that is no exposition */
  constructor(text: string) {
    const own: Series[] = [];
    for (const series of parseText(text)) {
      const { account, region_id: regionId, instance_id: instanceId } = series.labels;
      if (instanceId === undefined) own.push(series);
      else this.#of(`${account}/${regionId}/${instanceId}`).add(series);
    }
    this.own = own;
  }

  instance(place: { readonly name: string }, id: string): InstancePage | undefined {
    return this.instances.get(`${place.name}/${id}`);
  }

  /** The one value of a family of the exporter itself with these labels. */
  ownValue(family: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
    const wanted = Object.entries(labels);
    const isIt = ({ name, labels: own }: Series): boolean =>
      name === `${PREFIX}exporter_${family}` && wanted.every(([label, value]) => own[label] === value);
    return this.own.find(isIt)?.value;
  }

  #of(key: string): InstancePage {
    const known = this.instances.get(key);
    if (known !== undefined) return known;
    const made = new InstancePage();
    this.instances.set(key, made);
    return made;
  }
}

export class InstancePage {
  readonly #families = new Map<string, Series[]>();

  add(series: Series): void {
    const family = series.name.slice(PREFIX.length);
    const all = this.#families.get(family);
    if (all === undefined) this.#families.set(family, [series]);
    else all.push(series);
  }

  get families(): readonly string[] {
    return [...this.#families.keys()];
  }

  all(family: string, mode?: string): readonly Series[] {
    const all = this.#families.get(family) ?? [];
    return mode === undefined ? all : all.filter(({ labels }) => labels['mode'] === mode);
  }

  value(family: string, mode?: string): number | undefined {
    return this.all(family, mode)[0]?.value;
  }

  /** The state that is 1. */
  state(family: string, mode: string): string | undefined {
    const set = this.all(family, mode).filter(({ value }) => value === 1);
    return set.length === 1 ? set[0]?.labels['status'] : undefined;
  }
}
