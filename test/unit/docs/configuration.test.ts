import { expect } from 'chai';
import { parse, parseDocument } from 'yaml';
import { effectiveYaml } from '../../../dist/config/effective.js';
import { load, problemsOf } from '../config/reading.js';
import { codeIn, page, rowsUnder } from './table.js';

const PAGE = page('configuration.md');

type Path = readonly (string | number)[];

/** Where a table's keys stand, and the mappings whose keys it lists. */
interface Table {
  readonly head: string;
  readonly base: Path;
  readonly sections: readonly Path[];
}

const TABLES: readonly Table[] = [
  { head: 'key of an account', base: ['accounts', 0], sections: [[]] },
  { head: 'key of a region', base: ['accounts', 0, 'regions', 0], sections: [[]] },
  { head: 'key of a static instance', base: ['accounts', 0, 'instances', 0], sections: [[]] },
  { head: 'key of `discovery`', base: ['accounts', 0, 'discovery'], sections: [[]] },
  { head: 'key of `polling`', base: ['polling'], sections: [[], ['rate_limit']] },
  { head: 'other keys', base: [], sections: [['sharding'], ['state']] },
];
const BASE = `
accounts:
  - name: a
    regions:
      - id: cn-hangzhou
    instances:
      - id: rm-1
        region: cn-hangzhou
    discovery:
      enabled: true
`;
/** Unlike every default. */
const SAMPLES: Readonly<Record<string, unknown>> = {
  stuck_after: '7m',
  rate_limit: { requests_per_second: 7, burst: 9 },
};

/** The smallest configuration with every table's mapping in it, and one value changed; undefined leaves the key out. */
function changed(...changes: readonly (readonly [Path, unknown])[]): string {
  const document = parseDocument(BASE);
  for (const [path, value] of changes) {
    if (value !== undefined) document.setIn(path, value);
    else if (document.hasIn(path)) document.deleteIn(path);
  }
  return String(document);
}

/** The value in force, defaults filled in. */
function effective(path: Path, ...changes: readonly (readonly [Path, unknown])[]): unknown {
  let value: unknown = parse(effectiveYaml(load(changed(...changes)).config));
  for (const step of path) value = (value as Record<string, unknown> | undefined)?.[step];
  return value;
}

/** The rule that a change breaks, if it breaks one. */
function ruleBroken(path: Path, value: unknown): string | undefined {
  const where = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('');
  const marker = `: ${where.slice(1)}: `;
  const problem = problemsOf(changed([path, value])).find((line) => line.includes(marker));
  return problem?.split(marker)[1];
}

/** The keys of a mapping: what the problem of an unknown one lists. */
function keysAt(section: Path, others: object = {}): readonly string[] {
  const unknown = Object.entries({ ...others, zzzzzzzz: 1 }).map(([key, value]) => [[...section, key], value] as const);
  return /the keys here are (.*)/.exec(problemsOf(changed(...unknown)).join('\n'))![1]!.split(', ');
}

const TYPES: readonly (readonly [RegExp, string])[] = [
  [/must be a duration/, 'duration'],
  [/must be a whole number/, 'integer'],
  [/must be a number/, 'number'],
  [/must be a list/, 'list'],
  [/must be a mapping/, 'mapping'],
  [/must be true or false/, 'boolean'],
];

/** By what is said of no value at all; nothing, of a mapping without keys. */
function typeOf(path: Path): string {
  const rule = ruleBroken(path, null);
  if (rule === undefined) return 'mapping';
  return TYPES.find(([pattern]) => pattern.test(rule))?.[1] ?? 'string';
}

const NOTHING: ReadonlySet<string> = new Set(['null', '[]', '{}']);
const isNothing = (value: unknown): boolean => NOTHING.has(JSON.stringify(value ?? null));

/** Whether what a table says of a default holds. */
function isDefault(cell: string, path: Path): boolean {
  const [literal] = cell.startsWith('`') ? codeIn(cell) : [];
  const unset = [path, undefined] as const;
  if (literal !== undefined) return JSON.stringify(effective(path, unset)) === JSON.stringify(parse(literal));
  const key = path.at(-1)!;
  // A rate limit is shown where it is in force, at the region.
  const shownAt = key === 'rate_limit' ? ['accounts', 0, 'regions', 0, key] : path;
  const inherits = (above: Path): boolean =>
    JSON.stringify(effective(shownAt, unset, [above, SAMPLES[key]])) === JSON.stringify(SAMPLES[key]);
  switch (cell) {
    case 'required':
      return ruleBroken(path, undefined)?.startsWith('required key is missing') === true;
    case "polling's":
      return inherits(['polling', key]);
    case "the account's":
      return inherits(['accounts', 0, key]);
    case 'on without `instances`, else off':
      return (
        effective([...path, 'enabled'], unset) === false &&
        effective([...path, 'enabled'], unset, [['accounts', 0, 'instances'], undefined]) === true
      );
    case 'none':
    case 'all':
    case 'everything':
    case 'nothing':
    case 'off':
    case 'by a built-in table':
      return ruleBroken(...unset) === undefined && isNothing(effective(path, unset));
    default:
      return false;
  }
}

/** What the configuration tables say otherwise than the code that reads the file. */
function differences(markdown: string): readonly string[] {
  return TABLES.flatMap((table) => [...differencesIn(table, rowsUnder(markdown, table.head))]);
}

function* differencesIn({ head, base, sections }: Table, rows: readonly (readonly string[])[]): Iterable<string> {
  const inner = new Set(sections.map((section) => section.join('.')));
  const keys = new Set(
    sections.flatMap((section) => keysAt([...base, ...section]).map((key) => [...section, key].join('.'))),
  );
  const named = new Set<string>();
  for (const [cell = '', type, fallback = ''] of rows) {
    const key = codeIn(cell).join();
    const path = [...base, ...key.split('.')];
    named.add(key);
    if (!keys.has(key)) yield `${head}: ${key}: no such key`;
    else if (typeOf(path) !== type) yield `${head}: ${key}: type is ${typeOf(path)}, not ${type}`;
    else if (!isDefault(fallback, path)) yield `${head}: ${key}: the default is not ${fallback}`;
  }
  for (const key of keys) if (!named.has(key) && !inner.has(key)) yield `${head}: ${key}: no row`;
}

/** The keys of one type of credentials, secrets by their plain name; required ones are missed when nothing is given. */
function credentialKeys(type: string): { required: string[]; optional: string[]; secrets: string[] } {
  const path = ['accounts', 0, 'credentials'];
  const given = keysAt(path, { type }).filter((key) => key !== 'type');
  const secrets = given.filter((key) => given.includes(`${key}_file`));
  const plain = given.filter((key) => !secrets.includes(key.replace(/_file$/, '')) || secrets.includes(key));
  const problems = problemsOf(changed([path, { type }]));
  const isRequired = (key: string): boolean =>
    problems.some((line) => line.includes(`.${key}: required key is missing`));
  return { required: plain.filter(isRequired), optional: plain.filter((key) => !isRequired(key)), secrets };
}

describe('the configuration tables of the documentation', () => {
  it('tell of every key its type and default, and of none that does not exist', () => {
    expect(differences(PAGE)).to.deep.equal([]);
    const tops = TABLES.flatMap(({ base, sections }) => sections.map((section) => [...base, ...section][0]));
    expect(new Set(tops)).to.deep.equal(new Set(keysAt([])));
  });

  it('would show a wrong type, a wrong default, a key that is missing and one that is misspelt', () => {
    const cells: readonly (readonly [string, string, readonly string[]])[] = [
      ['| `timeout` | duration', '| `timeout` | number', ['timeout: type is duration, not number']],
      ['`30m` | a running', '`31m` | a running', ['stuck_after: the default is not `31m`']],
      ['`name` | string | required', '`name` | string | none', ['name: the default is not none']],
      ["| duration | the account's", '| duration | none', ['stuck_after: the default is not none']],
      ['| `tag_labels`', '| `tag_label`', ['tag_label: no such key', 'tag_labels: no row']],
    ];
    for (const [right, wrong, found] of cells) {
      const told = differences(PAGE.replace(right, wrong)).map((line) => line.replace(/^.*?: /, ''));
      expect(told).to.deep.equal(found);
    }
  });

  it('name the keys of every type of credentials, and which of them are secrets', () => {
    const rule = problemsOf(changed([['accounts', 0, 'credentials'], { type: 'x' }])).join();
    const types = /the types are (.*)$/.exec(rule)![1]!.split(', ');
    const rows = rowsUnder(PAGE, '`type`').map((cells) => cells.slice(0, 3).map(codeIn));
    const wanted = types.map((type) => {
      const { required, optional } = credentialKeys(type);
      return [[type], required, optional].map((names) => names.toSorted());
    });
    expect(rows.map((row) => row.map((names) => names.toSorted()))).to.deep.equal(wanted);
    const secrets = new Set(types.flatMap((type) => credentialKeys(type).secrets));
    const sentence = PAGE.split('\n').find((line) => line.includes(' are secrets. '))!;
    expect(new Set(codeIn(sentence.split(' are secrets. ')[0]!))).to.deep.equal(secrets);
  });
});
