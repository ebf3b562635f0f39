import { expect } from 'chai';
import fc from 'fast-check';
import { expand, unexpand } from '../../../dist/config/expand.js';

const env = { HOST: 'example', EMPTY: '', NESTED: '${HOST}' };

describe('references to the environment', () => {
  it('are replaced, with the default for what is unset or empty', () => {
    expect(expand('${HOST}:${PORT:-80}/${EMPTY:-x}${EMPTY}${OTHER:-}', env)).to.deep.equal({ text: 'example:80/x' });
  });

  it('are not looked for in what a variable holds', () => {
    expect(expand('${NESTED}', env)).to.deep.equal({ text: '${HOST}' });
  });

  it('are not made by $$, and a lone $ is itself', () => {
    expect(expand('$${HOST} $$$${HOST} ^a$|b$', env)).to.deep.equal({ text: '${HOST} $${HOST} ^a$|b$' });
  });

  it('are refused when the variable is unset or the name is none', () => {
    expect(expand('${HOST}${PORT}', env)).to.deep.equal({
      problem: 'environment variable PORT is not set; set it or write ${PORT:-default}',
    });
    for (const text of ['${', '${}', '${1}', '${a b}', '${HOST', '${HOST-x}', '${A:-${HOST}}']) {
      expect(expand(text, env), text)
        .to.have.property('problem')
        .that.matches(/^not a reference/);
    }
  });

  it('take nothing from what every object has', () => {
    expect(expand('${constructor}', env)).to.have.property('problem');
  });

  it('are undone by writing a text so that it expands to itself', () => {
    const text = fc.string({ unit: fc.constantFrom('$', '{', '}', 'A', ':-') });
    fc.assert(
      fc.property(text, (plain) => {
        expect(expand(unexpand(plain), {})).to.deep.equal({ text: plain });
      }),
    );
  });
});
