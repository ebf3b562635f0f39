import { resolve } from 'node:path';
import { toUSVString } from 'node:util';
import { isAlias, isMap, isScalar, isSeq } from 'yaml';
import type { Node, Pair, YAMLMap } from 'yaml';
import { formatDuration, parseDuration } from './duration.js';
import { expand } from './expand.js';
import type { Env } from './expand.js';
import { nearest, quote } from './problems.js';
import type { Problems } from './problems.js';
import type { YamlFile } from './yaml.js';

/** What one reading of a file shares. */
export interface LoadContext {
  readonly yaml: YamlFile;
  readonly env: Env;
  /** Where the file is: relative paths in it begin there. */
  readonly directory: string;
  readonly problems: Problems;
  /** What is allowed but probably not meant. */
  readonly warnings: Problems;
  /** Values that may still be looked at: aliases can make a small file stand for an endless one. */
  valuesLeft: number;
}

/** What a text must look like, and how to say so. */
export interface Pattern {
  readonly pattern: RegExp;
  readonly rule: string;
}

/** Limits, both included. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/** Where a setting stands: its path, its line (for one that is not given, its parent's), and whether its value may be shown. */
interface Location {
  readonly path: string;
  readonly line: number;
  readonly hidden: boolean;
}

const PLAIN: Pattern = {
  pattern: /^[^\p{Cc}]{1,4096}$/u,
  rule: 'must be text, not empty and without control characters',
};
/** What may be empty, as the value of a tag or label. */
export const VALUE: Pattern = { pattern: /^[^\p{Cc}]{0,1024}$/u, rule: 'must be text without control characters' };
const HALF_A_PAIR = 'must be well-formed Unicode; it holds half of a surrogate pair';
const MERGE_KEY = '<<';
const MAX_MERGES = 10;

/**
 * One setting: what stands in the file under a path, or would stand there. Every reader adds what is wrong to the
 * problems of the reading and goes on, so that one run finds all. What has a problem reads as undefined, or as NaN
 * where a number is due: no comparison with it holds, and the loading fails in any case.
 */
export class ConfigNode {
  readonly #spot: Location;
  readonly #node: Node | undefined;
  readonly #reading: LoadContext;

  private constructor(spot: Location, node: Node | undefined, reading: LoadContext) {
    this.#spot = spot;
    this.#node = node;
    this.#reading = reading;
  }

  static root(reading: LoadContext): ConfigNode {
    return new ConfigNode({ path: '', line: 1, hidden: false }, reading.yaml.root, reading);
  }

  get path(): string {
    return this.#spot.path;
  }

  get line(): number {
    return this.#spot.line;
  }

  get given(): boolean {
    return this.#node !== undefined;
  }

  /** True for a mapping, which in some places may stand for a plain text. */
  get isMapping(): boolean {
    return isMap(this.#node);
  }

  /** The same setting, but its value and those below it are never shown (or, with false, shown again). */
  hidden(hidden = true): ConfigNode {
    return new ConfigNode({ ...this.#spot, hidden }, this.#node, this.#reading);
  }

  /** Adds that the value breaks a rule. It is shown as written: what a variable of the environment holds may be a secret. */
  problem(rule: string): undefined {
    this.#reading.problems.add(this.line, this.#told(rule));
  }

  warning(text: string): void {
    this.#reading.warnings.add(this.line, this.#told(text));
  }

  #told(text: string): string {
    // A file that is nothing but a text was hardly meant: it may be that of a key.
    const value = this.#spot.hidden || this.path === '' ? '' : show(this.#node);
    return [this.path, value, text].filter((part) => part !== '').join(': ');
  }

  required(): this {
    if (!this.given) this.problem('required key is missing');
    return this;
  }

  /** A mapping with known keys; each can be asked for, given or not. */
  section<K extends string>(keys: readonly K[]): (key: K) => ConfigNode {
    const known: ReadonlySet<string> = new Set(keys);
    const children = this.entries();
    for (const [name, child] of children) if (!known.has(name)) child.#unknownKey(name, keys);
    return (key) => children.get(key) ?? this.#child(key, { line: this.line, node: undefined });
  }

  /** A mapping with free keys. */
  entries(): ReadonlyMap<string, ConfigNode> {
    const node = this.#node;
    if (isMap<Node, Node>(node)) return this.#pairs(node, 0);
    // A key with nothing but comments below it.
    if (node !== undefined && !isNull(node)) this.problem('must be a mapping of keys to values');
    return new Map();
  }

  /** The key that names this entry of a list, or the entry itself when it is nothing but its name. */
  nameKey(key: string): ConfigNode {
    return (this.isMapping ? this.entries().get(key) : undefined) ?? this;
  }

  /** @param none the rule that an empty list breaks; left out, it may be empty */
  items(none?: string): readonly ConfigNode[] {
    const node = this.#node;
    if (isSeq<Node>(node) && node.items.length === 0 && none !== undefined) this.problem(none);
    if (isSeq<Node>(node)) return node.items.map((item, index) => this.#item(index, item));
    if (node !== undefined) this.problem('must be a list');
    return [];
  }

  text({ pattern, rule }: Pattern = PLAIN): string | undefined {
    const text = this.#scalar(rule);
    return text === undefined || pattern.test(text) ? text : this.problem(rule);
  }

  /** A path, made absolute. */
  file(): string | undefined {
    const path = this.text();
    return path === undefined ? undefined : resolve(this.#reading.directory, path);
  }

  number<F extends number | undefined>(fallback: F, { min, max, whole }: Range & { whole: boolean }): number | F {
    const rule = `must be a ${whole ? 'whole ' : ''}number from ${min} to ${max}`;
    const parse = (text: string): number | undefined => {
      const value = /^[-+]?[\d.]/.test(text) ? Number(text) : NaN;
      return value >= min && value <= max && (!whole || Number.isInteger(value)) ? value : undefined;
    };
    return this.given ? (this.parsed(rule, parse) ?? NaN) : fallback;
  }

  /** Milliseconds. */
  duration<F extends number | undefined>(fallback: F, { min, max }: Range): number | F {
    const bounds = `from ${formatDuration(min)} to ${formatDuration(max)}`;
    const rule = `must be a duration ${bounds}, such as 500ms, 30s, 5m, 1h30m or 1d`;
    const parse = (text: string): number | undefined => {
      const ms = parseDuration(text);
      return ms !== undefined && ms >= min && ms <= max ? ms : undefined;
    };
    return this.given ? (this.parsed(rule, parse) ?? NaN) : fallback;
  }

  flag(fallback: boolean): boolean {
    return this.choice(['true', 'false'], fallback ? 'true' : 'false') === 'true';
  }

  choice<W extends string, F extends W | undefined>(words: readonly W[], fallback: F): W | F {
    const rule = `must be ${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
    const parse = (text: string): W | undefined => words.find((word) => word === text);
    return this.given ? (this.parsed(rule, parse) ?? fallback) : fallback;
  }

  /** What `parse` makes of the text; undefined, and a problem if it is given, when that is nothing. */
  parsed<T>(rule: string, parse: (text: string) => T | undefined): T | undefined {
    const text = this.#scalar(rule);
    return text === undefined ? undefined : (parse(text) ?? this.problem(rule));
  }

  /** The text of a scalar, expanded; of a number, as written, so that the tag `1.10` does not become `1.1`. */
  #scalar(rule: string): string | undefined {
    const node = this.#node;
    if (node === undefined) return undefined;
    if (!isScalar(node) || isNull(node)) return this.problem(rule);
    if (typeof node.value !== 'string') return node.source ?? String(node.value);
    const expanded = expand(node.value, this.#reading.env);
    if ('problem' in expanded) return this.problem(expanded.problem);
    // In a page it would be written as U+FFFD, and two names could become one series.
    if (toUSVString(expanded.text) !== expanded.text) return this.problem(HALF_A_PAIR);
    return expanded.text;
  }

  #item(index: number, node: Node): ConfigNode {
    return this.#make({ ...this.#spot, path: `${this.path}[${index}]`, line: this.#reading.yaml.lineOf(node) }, node);
  }

  #child(name: string, { line, node }: { line: number; node: Node | undefined }): ConfigNode {
    // Among secrets a key that does not look like one may be a secret that slipped.
    const plain = this.#spot.hidden ? /^[a-z_]{1,40}$/ : /^[\w-]{1,64}$/;
    const step = plain.test(name) ? name : `[${this.#spot.hidden ? '…' : quote(name)}]`;
    const path = this.path === '' || step.startsWith('[') ? `${this.path}${step}` : `${this.path}.${step}`;
    return this.#make({ ...this.#spot, path, line }, node);
  }

  /** Follows an alias, and counts. */
  #make(spot: Location, node: Node | undefined): ConfigNode {
    const target = isAlias(node) ? this.#reading.yaml.target(node) : node;
    const setting = new ConfigNode(spot, target, this.#reading);
    if (target !== undefined && this.#reading.valuesLeft-- <= 0) {
      setting.problem('too many values by now; the file is too large once its aliases are resolved');
      this.#reading.problems.throwIfAny();
    }
    return setting;
  }

  /** Own keys, then those merged in by `<<`, which never replace one. */
  #pairs(map: YAMLMap<Node, Node>, depth: number): Map<string, ConfigNode> {
    const found = new Map<string, ConfigNode>();
    const merged: ConfigNode[] = [];
    for (const pair of map.items) {
      const [name, child] = this.#pair(pair);
      if (name === MERGE_KEY) merged.push(...(isSeq(child.#node) ? child.items() : [child]));
      else if (found.has(name)) child.problem(`duplicate key; it was given in line ${found.get(name)?.line} already`);
      else found.set(name, child);
    }
    for (const source of merged) {
      if (!isMap<Node, Node>(source.#node) || depth === MAX_MERGES)
        source.problem('<< must name a mapping, or a list of them');
      else
        for (const [name, child] of this.#pairs(source.#node, depth + 1)) if (!found.has(name)) found.set(name, child);
    }
    return found;
  }

  #pair({ key, value }: Pair<Node, Node>): readonly [string, ConfigNode] {
    const name = isScalar(key) ? String(key.value) : '';
    return [name, this.#child(name, { line: this.#reading.yaml.lineOf(key), node: value ?? undefined })];
  }

  #unknownKey(name: string, known: readonly string[]): void {
    const meant = nearest(name, known);
    const hint = meant === undefined ? `the keys here are ${known.join(', ')}` : `did you mean ${meant}?`;
    this.hidden().problem(`unknown key; ${hint}`);
  }
}

function isNull(node: Node): boolean {
  return isScalar(node) && node.value === null;
}

/** A value for people: texts quoted, numbers as written, and of what is no scalar only its kind. A URL may hold a password. */
function show(node: Node | undefined): string {
  if (node === undefined) return '';
  if (isMap(node)) return 'a mapping';
  if (!isScalar(node)) return isSeq(node) && node.items.length === 0 ? 'an empty list' : 'a list';
  if (isNull(node)) return 'no value';
  if (typeof node.value !== 'string') return (node.source ?? String(node.value)).slice(0, 80);
  return node.value.includes('@') && node.value.includes(':') ? '' : quote(node.value);
}
