import { Composer, isAlias, isCollection, isScalar, Lexer, LineCounter, Parser, visit } from 'yaml';
import type { Alias, CST, Document, Node, YAMLError } from 'yaml';
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
  NON_STRING_KEY: 'a key must be plain text',
  MULTIPLE_ANCHORS: 'a value can have one anchor (&name)',
  MULTIPLE_TAGS: 'a value can have no tag (!name)',
  TAB_AS_INDENT: 'a tab indents this line; YAML allows spaces only',
  TAG_RESOLVE_FAILED: 'a tag (!name) is not known here; quote a text that begins with !',
  UNEXPECTED_TOKEN: 'something stands where YAML allows nothing; a text with special characters needs quotes',
};

const MAX_DEPTH = 100;
const MAX_ERRORS = 100;
/** Ten thousand static instances with five labels each have 490,000. What the parser makes of one is up to 1 KB. */
const MAX_TOKENS = 500_000;
const BLANK = /^[ \t\r\n#]/;
const TOO_MANY_ERRORS = new Error('too many errors');

/**
 * Parses YAML 1.2.
 * @throws UsageError with every syntax problem
 */
export function parseYaml(text: string, problems: Problems): YamlFile {
  const lines = new LineCounter();
  const lineAt = (offset: number): number => lines.linePos(offset).line;
  const refuse: Refuse = (offset, rule) => problems.add(lineAt(offset), `YAML syntax: ${rule}`);

  // Keys are compared where their path is known, in setting.ts.
  const composer = new Composer({ schema: 'core', stringKeys: true, uniqueKeys: false });
  boundErrors(composer, refuse);
  const [document, second] = compose(composer, text, boundedTokens(text, lines, refuse));
  for (const { code, pos } of document?.errors ?? []) refuse(pos[0], ruleOf(code));
  if (second !== undefined) refuse(second.range[0], 'a file must hold one document; drop what follows ---');
  problems.throwIfAny();

  const root = document?.contents ?? undefined;
  const targets = findTargets(root, refuse);
  problems.throwIfAny();
  return {
    root,
    lineOf: (node) => lineAt(node.range?.[0] ?? 0),
    target: (alias) => targets.get(alias),
  };
}

type Refuse = (offset: number, rule: string) => void;

function ruleOf(code: YAMLError['code']): string {
  return SYNTAX[code] ?? `not valid (${code})`;
}

/** Of what is wrong the library keeps an error with its stack each, however much it is: a text of 2 MiB filled the heap. */
function boundErrors(composer: Composer, refuse: Refuse): void {
  let errors = 0;
  Reflect.set(composer, 'onError', (source: ErrorSource, code: YAMLError['code']) => {
    if (++errors > MAX_ERRORS) throw TOO_MANY_ERRORS;
    refuse(offsetOf(source), ruleOf(code));
  });
}

/** As the library's own functions tell where an error is. */
type ErrorSource = number | readonly [number, ...unknown[]] | { readonly offset: number };

function offsetOf(source: ErrorSource): number {
  if (typeof source === 'number') return source;
  return 'offset' in source ? source.offset : source[0];
}

/** The documents of the text; none when too much of it is wrong. */
function compose(composer: Composer, text: string, tokens: Iterable<CST.Token>): readonly Document.Parsed[] {
  try {
    return [...composer.compose(tokens, true, text.length)];
  } catch (thrown) {
    if (thrown !== TOO_MANY_ERRORS) throw thrown;
    return [];
  }
}

/**
 * What the parser makes of the text, ended as soon as that is too much, nested too deeply or mostly errors: what follows in
 * the library is recursive, and near a full stack even compiling a regular expression kills the process.
 */
function* boundedTokens(text: string, lines: LineCounter, refuse: Refuse): Generator<CST.Token, void> {
  const parser = new Parser(lines.addNewLine);
  let errors = 0;
  let count = 0;
  lines.addNewLine(0);
  for (const lexeme of new Lexer().lex(text)) {
    if (!BLANK.test(lexeme) && ++count > MAX_TOKENS) {
      refuse(parser.offset, `too much for one file: more than ${MAX_TOKENS} tokens`);
      return;
    }
    for (const token of parser.next(lexeme)) {
      if (token.type === 'error' && ++errors > MAX_ERRORS) return;
      yield token;
    }
    if (parser.stack.length > MAX_DEPTH) {
      refuse(parser.offset, 'nested too deeply');
      return;
    }
  }
  yield* parser.end();
}

/** An alias means the last anchor of its name before it. One pass: the library's own `resolve` walks the file for each. */
function findTargets(root: Node | undefined, refuse: Refuse): ReadonlyMap<Alias, Node> {
  const anchors = new Map<string, Node>();
  const targets = new Map<Alias, Node>();
  visit(root ?? null, {
    Node(_key, node) {
      if (isAlias(node)) {
        const target = anchors.get(node.source);
        if (target === undefined) refuse(node.range?.[0] ?? 0, 'an alias (*name) needs an anchor (&name) before it');
        else targets.set(node, target);
      } else if ((isScalar(node) || isCollection(node)) && node.anchor !== undefined) anchors.set(node.anchor, node);
    },
  });
  return targets;
}
