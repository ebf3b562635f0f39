import { isAlias, isCollection, isScalar, LineCounter, parseDocument, visit } from 'yaml';
import type { Alias, Node, ParsedNode, YAMLError } from 'yaml';
import { messageOf } from '../errors.js';
import type { Problems } from './problems.js';

/** A parsed file: its root, and what the nodes alone do not tell. */
export interface YamlFile {
  /** Undefined when the file holds nothing. */
  readonly root: Node | undefined;
  lineOf(node: Node): number;
  /** The node an alias stands for. */
  target(alias: Alias): Node | undefined;
}

/**
 * What is wrong, by the parser's own code: its messages may quote the line they are about, which may hold a secret.
 * https://eemeli.org/yaml/#errors
 */
const SYNTAX: Readonly<Partial<Record<YAMLError['code'], string>>> = {
  ALIAS_PROPS: 'an alias (*name) can have no anchor or tag',
  BAD_ALIAS: 'an anchor or alias has no valid name; quote a text that begins with & or *',
  BAD_DIRECTIVE: 'a line that begins with % is a directive, and this one is none',
  BAD_DQ_ESCAPE: 'a backslash sequence in double quotes is not valid; use single quotes or double the backslash',
  BAD_INDENT: 'the indentation does not fit the lines above',
  BAD_SCALAR_START: 'a plain text cannot begin with this character; put it in quotes',
  BLOCK_AS_IMPLICIT_KEY:
    'a key is followed by another "key:" in the same line; put the value in quotes or on its own line',
  BLOCK_IN_FLOW: 'a block list or mapping cannot stand inside [] or {}',
  MISSING_CHAR: 'a closing quote, a bracket, a comma or the colon after a key is missing',
  MULTILINE_IMPLICIT_KEY: 'a line is neither "key: value" nor part of the value above',
  MULTIPLE_DOCS: 'a file must hold one document; drop what follows ---',
  NON_STRING_KEY: 'a key must be plain text',
  RESOURCE_EXHAUSTION: 'nested too deeply',
  TAB_AS_INDENT: 'a tab indents this line; YAML allows spaces only',
  TAG_RESOLVE_FAILED: 'a tag (!name) is not known here; quote a text that begins with !',
  UNEXPECTED_TOKEN: 'something stands where YAML allows nothing; a text with special characters needs quotes',
};

/** Parses YAML 1.2; a syntax problem is added to `problems`, and then there is no root to go on with. */
export function parseYaml(text: string, problems: Problems): YamlFile {
  const lines = new LineCounter();
  const targets = new Map<Alias, Node>();
  const lineAt = (offset: number): number => lines.linePos(offset).line;
  let root: ParsedNode | null | undefined;
  try {
    // Keys are compared where their path is known, in setting.ts.
    const options = { schema: 'core', stringKeys: true, uniqueKeys: false, prettyErrors: false } as const;
    const document = parseDocument(text, { ...options, lineCounter: lines, logLevel: 'error' });
    const wrong = [...document.errors, ...document.warnings];
    for (const { code, pos } of wrong) {
      problems.add(lineAt(pos[0]), `YAML syntax: ${SYNTAX[code] ?? `not valid (${code})`}`);
    }
    root = wrong.length === 0 ? document.contents : undefined;
    for (const lost of findTargets(root, targets)) {
      problems.add(lineAt(lost.range?.[0] ?? 0), 'YAML syntax: an alias (*name) needs an anchor (&name) before it');
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    // The parser and the visitor are recursive: depth ends in a full stack.
    root = undefined;
    problems.add(1, `YAML syntax: ${/stack/.test(messageOf(error)) ? SYNTAX.RESOURCE_EXHAUSTION : 'not valid'}`);
  }
  return {
    root: root ?? undefined,
    lineOf: (node) => lineAt(node.range?.[0] ?? 0),
    target: (alias) => targets.get(alias),
  };
}

/**
 * An alias means the last anchor of its name before it. One pass: the library's own `resolve` walks the file for each.
 * @returns the aliases that have none
 */
function findTargets(root: Node | null | undefined, targets: Map<Alias, Node>): readonly Alias[] {
  const anchors = new Map<string, Node>();
  const lost: Alias[] = [];
  visit(root ?? null, {
    Node(_key, node) {
      if (isAlias(node)) {
        const target = anchors.get(node.source);
        if (target === undefined) lost.push(node);
        else targets.set(node, target);
      } else if ((isScalar(node) || isCollection(node)) && node.anchor !== undefined) anchors.set(node.anchor, node);
    },
  });
  return lost;
}
