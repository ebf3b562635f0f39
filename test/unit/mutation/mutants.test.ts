import { expect } from 'chai';
import { mutantsOf } from '../../mutation/mutants.js';
import type { Mutant } from '../../mutation/mutants.js';

/** The whole code with each mutant in its place. */
function mutated(code: string): string[] {
  return mutantsOf(code).map(({ start, end, replacement }) => code.slice(0, start) + replacement + code.slice(end));
}

describe('the mutants of a program', () => {
  for (const [code, ...expected] of [
    ['f(a < b);', 'f(true);', 'f(false);', 'f(a <= b);', 'f(a >= b);'],
    ['f(a === b);', 'f(true);', 'f(false);', 'f(a !== b);'],
    ['f(a && b);', 'f(true);', 'f(false);', 'f(a || b);'],
    ['f(a ?? b);', 'f(a && b);'],
    ['f(a + b);', 'f(a - b);'],
    ["f(a + 'b');", 'f(a + "");'],
    ['f(a ? b : c);', 'f(true ? b : c);', 'f(false ? b : c);'],
    ['f(a?.b?.[c]?.());', 'f(a.b?.[c]?.());', 'f(a?.b[c]?.());', 'f(a?.b?.[c]());'],
    ['f(!a, -b);', 'f(a, -b);', 'f(!a, +b);'],
    ['f(a.trim().startsWith(b));', 'f(a.startsWith(b));', 'f(a.trim().endsWith(b));'],
    ['f(Math.max(a, b));', 'f(Math.min(a, b));'],
    [
      'f(0, 10, 300);',
      'f((-1), 10, 300);',
      'f(1, 10, 300);',
      'f(0, 9, 300);',
      'f(0, 11, 300);',
      'f(0, 10, 600);',
      'f(0, 10, 150);',
    ],
    ['f(true, "", `a${b}`);', 'f(false, "", `a${b}`);', 'f(true, "mutated", `a${b}`);', 'f(true, "", ``);'],
    ['f([a], []);', 'f([], []);', 'f([a], ["mutated"]);'],
    ['f({ a });', 'f({});'],
    ['f(() => a);', 'f(() => undefined);'],
    ['f(/^a\\d+$/u);', 'f(/a\\d+$/u);', 'f(/^a\\d+/u);', 'f(/^a\\D+$/u);', 'f(/^a\\d$/u);'],
    ['f(/[^a]b*/);', 'f(/[a]b*/);', 'f(/[^a]b/);'],
  ] as const) {
    it(`of ${code}`, () => {
      expect(mutated(code)).to.have.members([';', ...expected]);
    });
  }

  it('of statements are those without one', () => {
    const code = 'for (const a of b) {\n  if (a) continue;\n  c(a);\n}';
    expect(mutated(code)).to.have.members([
      'for (const a of b) {}',
      code.replace('(a) c', '(true) c'),
      code.replace('(a) c', '(false) c'),
      code.replace('continue;', ';'),
      code.replace('c(a);', ';'),
    ]);
  });

  it('of a block with one statement are no more than the empty block', () => {
    expect(mutated('function f() {\n  g();\n}')).to.deep.equal(['function f() {}']);
  });

  it('of updates and assignments turn round', () => {
    expect(mutated('a++;')).to.have.members(['a--;', ';']);
    expect(mutated('a += b;')).to.have.members(['a -= b;', ';']);
    expect(mutated('a ??= b;')).to.have.members(['a &&= b;', ';']);
    expect(mutated('while (a) b;')).to.have.members(['while (false) b;', 'while (a) ;']);
  });

  it('of an operator matter to every test that runs its left side', () => {
    for (const code of ['f(a ?? b);', 'f(a?.b);', 'f(a?.());', 'f(a ??= b);']) {
      const isRight = ({ start, runAt }: Mutant): boolean => code.slice(start).trim().startsWith('?') && runAt === 2;
      expect(mutantsOf(code).some(isRight), code).to.equal(true);
    }
  });

  it('are none of what names a module or a property, nor of a directive', () => {
    expect(mutated("'use strict';\nimport { a } from 'b';\nexport { c } from 'd';")).to.deep.equal([]);
    expect(mutated("const a = { 'b-c': d };")).to.deep.equal(['const a = {};']);
  });
});
