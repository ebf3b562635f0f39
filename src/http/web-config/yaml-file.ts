import { isAlias, isMap, isPair, isScalar, isSeq, Lexer, LineCounter, parseAllDocuments, Parser, Scalar } from 'yaml';
import type { Alias, Document, Node, YAMLMap } from 'yaml';
import { UsageError } from '../../errors.js';

/** A node of the file and where it stands, such as `tls_server_config.min_version`; undefined: the key has no value. */
export interface Field {
  readonly path: string;
  readonly node: Node | undefined;
}

type Fields = Map<string, Field>;

/** What libyaml refuses anywhere in a file. */
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/;
const NULL = /^(|~|null|Null|NULL)$/;
const TRUE = /^(y|Y|yes|Yes|YES|true|True|TRUE|on|On|ON)$/;
const FALSE = /^(n|N|no|No|NO|false|False|FALSE|off|Off|OFF)$/;
const BOOL_TAG = 'tag:yaml.org,2002:bool';
/** Three thousand users. The file is read again whenever it changes, while the exporter serves. */
const MAX_BYTES = 256 * 1024;
const MAX_DEPTH = 100;
/** Resolved once each, by a walk through the file. */
const MAX_ALIASES = 100;
/** A few aliases that merge each other stand for any number. */
const MAX_MERGES = 1_000;
const MAX_PROBLEMS = 100;

/**
 * A YAML file read as strictly as Go's yaml.v2 does: every scalar is text until its key asks for another type, a key
 * may stand once, anchors and merges work, and what follows the first document is not looked at. Collects every
 * problem as `FILE:LINE: path: rule`; a rule never quotes a value that may be secret.
 */
export class YamlFile {
  readonly root: Field;
  readonly #file: string;
  readonly #lines = new LineCounter();
  readonly #document: Document.Parsed | undefined;
  readonly #problems = new Set<string>();
  readonly #targets = new Map<Alias, Node | undefined>();
  #merges = 0;

  /** @throws UsageError when the text is no YAML */
  constructor(file: string, content: Uint8Array) {
    this.#file = file;
    if (content.length > MAX_BYTES)
      throw new UsageError([`${file}:1: must not be larger than ${MAX_BYTES / 1024} KiB`]);
    const text = decode(content);
    if (text === undefined || CONTROL.test(text))
      throw new UsageError([`${file}:1: must be UTF-8 without control bytes`]);
    if (isTooDeep(text)) throw new UsageError([`${file}:1: must not be nested deeper than ${MAX_DEPTH} levels`]);
    // Failsafe: no value is resolved. Of an error only its code is told: the message can quote what stands there.
    const documents = parseAllDocuments(text, {
      version: '1.1',
      schema: 'failsafe',
      merge: false,
      uniqueKeys: false,
      prettyErrors: false,
      logLevel: 'silent',
      lineCounter: this.#lines,
    });
    this.#document = Array.isArray(documents) ? documents[0] : undefined;
    for (const { code, pos } of this.#document?.errors ?? []) {
      this.#problems.add(`${file}:${this.#line(pos[0])}: is no valid YAML: ${code.toLowerCase().replaceAll('_', ' ')}`);
    }
    this.throwProblems();
    this.root = { path: '', node: this.#document?.contents ?? undefined };
  }

  fail(field: Field, rule: string): undefined {
    this.#problems.add(`${this.#file}:${this.#lineOf(field)}: ${field.path === '' ? '' : `${field.path}: `}${rule}`);
    return undefined;
  }

  /** @throws UsageError if anything failed so far */
  throwProblems(): void {
    if (this.#problems.size === 0) return;
    const told = [...this.#problems].slice(0, MAX_PROBLEMS);
    const rest = this.#problems.size - told.length;
    throw new UsageError(rest === 0 ? told : [...told, `${this.#file}: and ${rest} more problems`]);
  }

  /** The entries of a mapping, by key. Without a value: none. */
  fields(field: Field): Fields {
    const fields: Fields = new Map();
    const node = this.#resolve(field.node);
    if (isMap(node)) this.#collect(field, node, fields, []);
    else if (!isNull(node)) this.fail(field, 'must be a mapping');
    return fields;
  }

  /** The same, with no other keys than `known`. */
  section<K extends string>(field: Field | undefined, known: readonly K[]): ReadonlyMap<K, Field> {
    const fields: Fields = field === undefined ? new Map() : this.fields(field);
    const section = new Map<K, Field>();
    for (const [key, value] of fields) {
      const name = known.find((candidate) => candidate === key);
      if (name === undefined) this.fail(value, `unknown key; known here: ${known.join(', ')}`);
      else section.set(name, value);
    }
    return section;
  }

  /** The literal text of a scalar, whatever type it looks like. Undefined without a value. */
  text(field: Field | undefined): string | undefined {
    const node = this.#resolve(field?.node);
    if (field === undefined || isNull(node)) return undefined;
    return isScalar(node) ? String(node.value) : this.fail(field, 'must be a text');
  }

  flag(field: Field | undefined): boolean | undefined {
    const node = this.#resolve(field?.node);
    if (field === undefined || isNull(node)) return undefined;
    if (isScalar(node) && (node.tag === BOOL_TAG || (node.type === Scalar.PLAIN && node.tag === undefined))) {
      if (TRUE.test(String(node.value))) return true;
      if (FALSE.test(String(node.value))) return false;
    }
    return this.fail(field, 'must be true or false');
  }

  /** The items of a list that have a value. Undefined without a list. */
  list(field: Field | undefined): readonly Field[] | undefined {
    const node = this.#resolve(field?.node);
    if (field === undefined || isNull(node)) return undefined;
    if (!isSeq<Node>(node)) return this.fail(field, 'must be a list');
    const items = node.items.map((item, index): Field => ({ path: `${field.path}[${index}]`, node: item }));
    return items.filter((item) => !isNull(this.#resolve(item.node)));
  }

  #collect(field: Field, map: YAMLMap, fields: Fields, within: readonly YAMLMap[]): void {
    if (++this.#merges > MAX_MERGES) {
      this.fail(field, `must not merge more than ${MAX_MERGES} mappings`);
      return;
    }
    if (within.includes(map)) {
      this.fail(field, 'must not merge itself');
      return;
    }
    for (const { key, value } of map.items.filter((item) => isPair<Node, Node | null>(item))) {
      const name = this.#resolve(key);
      if (isScalar(name) && name.type === Scalar.PLAIN && name.value === '<<') {
        this.#merge(field, value ?? undefined, fields, [...within, map]);
        continue;
      }
      const text = isScalar(name) && !isNull(name) ? String(name.value) : '';
      const path = field.path === '' ? shown(text) : `${field.path}.${shown(text)}`;
      if (fields.has(text)) this.fail({ path, node: key }, 'stands twice');
      fields.set(text, { path, node: value ?? undefined });
      if (isNull(value)) this.#emptyAt.set(path, key);
    }
  }

  #merge(field: Field, value: Node | undefined, fields: Fields, within: readonly YAMLMap[]): void {
    const node = this.#resolve(value);
    const maps = isSeq<Node>(node) ? node.items.map((item) => this.#resolve(item)) : [node];
    for (const map of maps) {
      if (isMap(map)) this.#collect(field, map, fields, within);
      else this.fail(field, 'a merge needs a mapping or a list of mappings');
    }
  }

  /** Keys without a value, for their line. */
  readonly #emptyAt = new Map<string, Node>();

  #resolve(node: Node | null | undefined): Node | undefined {
    if (!isAlias(node)) return node ?? undefined;
    if (!this.#targets.has(node)) {
      if (this.#targets.size >= MAX_ALIASES)
        this.#problems.add(`${this.#file}:${this.#line(node.range?.[0] ?? 0)}: more than ${MAX_ALIASES} aliases`);
      else this.#targets.set(node, this.#document && node.resolve(this.#document));
    }
    return this.#targets.get(node);
  }

  #lineOf({ path, node }: Field): number {
    return this.#line((node ?? this.#emptyAt.get(path))?.range?.[0] ?? 0);
  }

  #line(offset: number): number {
    return this.#lines.linePos(offset).line;
  }
}

/** The library composes by recursion. */
function isTooDeep(text: string): boolean {
  const parser = new Parser();
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) void token;
    if (parser.stack.length > MAX_DEPTH) return true;
  }
  return false;
}

function decode(content: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch {
    return undefined;
  }
}

function isNull(node: Node | null | undefined): boolean {
  if (node === undefined || node === null) return true;
  return isScalar(node) && node.type === Scalar.PLAIN && node.tag === undefined && NULL.test(String(node.value));
}

/** A key or value as a message shows it: what is long or strange may be a secret in the wrong place. */
export function shown(text: string): string {
  return /^[\w .:@/+-]{1,40}$/.test(text) ? text : '…';
}
