import { parse } from 'acorn';
import type { AnyNode, BinaryOperator, Expression, Literal, Super } from 'acorn';

/** One change of a program: `code` with [start, end) replaced. */
export interface Mutant {
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
  /** It matters to a test that runs what is here. */
  readonly runAt: number;
}

/**
 * Every mutant of a module, in the order of the source: the operators of Stryker, numeric constants (n-1, n+1; double and
 * half above 10) and statements removed.
 */
export function mutantsOf(code: string): readonly Mutant[] {
  const found = new Map<string, Mutant>();
  const add: Add = ({ start, end }, replacement, runAt = start) => {
    const key = `${start}:${end}:${replacement}`;
    if (code.slice(start, end) !== replacement && !found.has(key)) found.set(key, { start, end, replacement, runAt });
  };
  walk(parse(code, { ecmaVersion: 'latest', sourceType: 'module' }), undefined, (node, parent) =>
    mutate(node, parent, add, code),
  );
  return [...found.values()].toSorted((one, other) => one.start - other.start || one.end - other.end);
}

interface Range {
  readonly start: number;
  readonly end: number;
}
type Add = (range: Range, replacement: string, runAt?: number) => void;

function walk(node: AnyNode, parent: AnyNode | undefined, visit: (node: AnyNode, parent?: AnyNode) => void): void {
  visit(node, parent);
  for (const child of Object.values(node).flat()) if (isNode(child)) walk(child, node, visit);
}

function isNode(value: unknown): value is AnyNode {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value;
}

const SWAPPED_BINARY: { readonly [O in BinaryOperator]?: readonly string[] } = {
  '<': ['<=', '>='],
  '<=': ['<', '>'],
  '>': ['>=', '<='],
  '>=': ['>', '<'],
  '==': ['!='],
  '!=': ['=='],
  '===': ['!=='],
  '!==': ['==='],
  '+': ['-'],
  '-': ['+'],
  '*': ['/'],
  '/': ['*'],
  '%': ['*'],
  '&': ['|'],
  '|': ['&'],
  '^': ['&'],
  '<<': ['>>'],
  '>>': ['<<'],
};
const COMPARISONS: ReadonlySet<string> = new Set(['<', '<=', '>', '>=', '==', '!=', '===', '!==']);
const SWAPPED_LOGICAL = { '&&': '||', '||': '&&', '??': '&&' };
const SWAPPED_ASSIGNMENT: Readonly<Record<string, string>> = {
  '+=': '-=',
  '-=': '+=',
  '*=': '/=',
  '/=': '*=',
  '%=': '*=',
  '&&=': '||=',
  '||=': '&&=',
  '??=': '&&=',
};
const SWAPPED_METHODS: ReadonlyMap<string, string> = new Map(
  [
    ['startsWith', 'endsWith'],
    ['trimStart', 'trimEnd'],
    ['padStart', 'padEnd'],
    ['toUpperCase', 'toLowerCase'],
    ['some', 'every'],
    ['min', 'max'],
  ].flatMap(([one = '', other = '']) => [
    [one, other],
    [other, one],
  ]),
);
const REMOVED_METHODS: ReadonlySet<string> = new Set([
  'trim',
  'sort',
  'toSorted',
  'reverse',
  'toReversed',
  'filter',
  'slice',
  'substring',
  'charAt',
]);
const JUNK = '"mutated"';

function mutate(node: AnyNode, parent: AnyNode | undefined, add: Add, code: string): void {
  const textOf = ({ start, end }: Range): string => code.slice(start, end);
  /** The operator between two operands. */
  const operator = (text: string, left: Range): Range => {
    const start = code.indexOf(text, left.end);
    return { start, end: start + text.length };
  };
  switch (node.type) {
    case 'BinaryExpression':
      if (COMPARISONS.has(node.operator) && !isLoop(parent)) addBoth(node, add);
      if (node.operator === '+' && (isText(node.left) || isText(node.right))) break;
      for (const other of SWAPPED_BINARY[node.operator] ?? []) add(operator(node.operator, node.left), other);
      break;
    case 'LogicalExpression':
      if (node.operator !== '??' && !isLoop(parent)) addBoth(node, add);
      // V8 counts the operator with what is right of it, which may not have run.
      add(operator(node.operator, node.left), SWAPPED_LOGICAL[node.operator], node.start);
      break;
    case 'AssignmentExpression': {
      const other = SWAPPED_ASSIGNMENT[node.operator];
      if (other !== undefined) add(operator(node.operator, node.left), other, node.start);
      break;
    }
    case 'IfStatement':
    case 'ConditionalExpression':
      addBoth(node.test, add);
      break;
    case 'WhileStatement':
    case 'DoWhileStatement':
      add(node.test, 'false');
      break;
    case 'ForStatement':
      if (node.test) add(node.test, 'false');
      break;
    case 'SwitchCase': {
      const [first, last] = [node.consequent[0], node.consequent.at(-1)];
      if (first && last) add({ start: first.start, end: last.end }, '');
      break;
    }
    case 'UnaryExpression':
      if (node.operator === '!') add(node, code.slice(node.start + 1, node.end));
      if (node.operator === '-') add({ start: node.start, end: node.start + 1 }, '+');
      if (node.operator === '~') add({ start: node.start, end: node.start + 1 }, '');
      break;
    case 'UpdateExpression':
      add(node, textOf(node).replace(node.operator, node.operator === '++' ? '--' : '++'));
      break;
    case 'CallExpression':
      mutateCall(node.callee, node, add, textOf);
      // As with the operators: what is right of it has not run where it matters.
      if (node.optional) add({ start: node.callee.end, end: node.callee.end + 2 }, '', node.start);
      break;
    case 'MemberExpression':
      if (node.optional)
        add({ start: node.object.end, end: node.object.end + 2 }, node.computed ? '' : '.', node.start);
      break;
    case 'ArrayExpression':
      add(node, node.elements.length > 0 ? '[]' : `[${JUNK}]`);
      break;
    case 'ObjectExpression':
      if (node.properties.length > 0) add(node, '{}');
      break;
    case 'TemplateLiteral':
      if (textOf(node) !== '``' && parent?.type !== 'TaggedTemplateExpression') add(node, '``');
      break;
    case 'Literal':
      if (!isName(node, parent)) mutateLiteral(node, add);
      break;
    case 'ArrowFunctionExpression':
      if (node.body.type !== 'BlockStatement') add(node.body, 'undefined');
      break;
    case 'BlockStatement':
      // Without super() no object of a derived class can be made: that tests nothing.
      if (node.body.length > 0 && !textOf(node).includes('super(')) add(node, '{}');
      break;
    case 'ExpressionStatement':
    case 'ThrowStatement':
    case 'BreakStatement':
    case 'ContinueStatement':
      if (!isOnly(node, parent) && !('directive' in node) && !textOf(node).startsWith('super(')) add(node, ';');
      break;
    case 'ReturnStatement':
      if (!node.argument && !isOnly(node, parent)) add(node, ';');
      break;
    default:
  }
}

/** Its test has `false` alone: `true` is an endless loop. */
function isLoop(node: AnyNode | undefined): boolean {
  return ['ForStatement', 'WhileStatement', 'DoWhileStatement'].includes(node?.type ?? '');
}

function addBoth(range: Range, add: Add): void {
  add(range, 'true');
  add(range, 'false');
}

function mutateCall(callee: Expression | Super, call: Range, add: Add, textOf: (range: Range) => string): void {
  if (callee.type !== 'MemberExpression' || callee.computed || callee.property.type !== 'Identifier') return;
  const { name } = callee.property;
  const other = SWAPPED_METHODS.get(name);
  if (other !== undefined) add(callee.property, other);
  if (REMOVED_METHODS.has(name)) add(call, textOf(callee.object));
}

function mutateLiteral(literal: Literal, add: Add): void {
  const { value, regex } = literal;
  if (typeof value === 'boolean') add(literal, String(!value));
  if (typeof value === 'string') add(literal, value === '' ? JUNK : '""');
  if (typeof value === 'number') {
    for (const other of value > 10 ? [value * 2, value / 2] : [value - 1, value + 1]) {
      add(literal, other < 0 ? `(${other})` : String(other));
    }
  }
  if (regex) for (const pattern of patternsOf(regex.pattern)) add(literal, `/${pattern}/${regex.flags}`);
}

/** An anchor dropped, a class or set negated, a quantifier dropped, a group made capturing nothing of its own. */
const PATTERN_CHANGES: readonly (readonly [RegExp, (match: string) => string])[] = [
  [/^\^|\$$/g, () => ''],
  [
    /\\[dDsSwW]/g,
    ([, letter = '']) => `\\${letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase()}`,
  ],
  [/(?<!\\)\[\^?/g, (match) => (match === '[' ? '[^' : '[')],
  [/(?<![\\(])[*+?](?!\?)|\{\d+,?\d*\}/g, () => ''],
];

function patternsOf(pattern: string): readonly string[] {
  return PATTERN_CHANGES.flatMap(([what, change]) =>
    [...pattern.matchAll(what)].map(
      ({ 0: match, index }) => pattern.slice(0, index) + change(match) + pattern.slice(index + match.length),
    ),
  );
}

function isText(node: AnyNode): boolean {
  return node.type === 'TemplateLiteral' || (node.type === 'Literal' && typeof node.value === 'string');
}

/** A literal that names something: a module, a property, a directive. */
function isName(literal: Literal, parent: AnyNode | undefined): boolean {
  switch (parent?.type) {
    case 'ImportDeclaration':
    case 'ExportNamedDeclaration':
    case 'ExportAllDeclaration':
    case 'ImportExpression':
    case 'ImportAttribute':
      return true;
    case 'Property':
    case 'PropertyDefinition':
    case 'MethodDefinition':
      return parent.key === literal && !parent.computed;
    case 'ExpressionStatement':
      return typeof literal.value === 'string';
    default:
      return false;
  }
}

/** The one statement of its block: to remove it is to empty the block. */
function isOnly(statement: AnyNode, parent: AnyNode | undefined): boolean {
  return parent?.type === 'BlockStatement' && parent.body.length === 1 && parent.body[0] === statement;
}
