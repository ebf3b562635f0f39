import { expect } from 'chai';
import fc from 'fast-check';
import { effectiveYaml } from '../../../dist/config/effective.js';
import { cases } from '../../helpers/cases.js';
import { ACCOUNT, load, problemsOf } from './reading.js';

const ENV = { PLANTED: 'Planted0' };
const SECRETS = [
  'accounts:',
  '  - name: a',
  '    regions: [cn-hangzhou]',
  '    credentials:',
  '      type: ram_role_arn',
  '      role_arn: acs:ram::1:role/a',
  '      external_id: "Planted1"',
  '      source:',
  '        type: sts',
  "        access_key_id: 'Planted2'",
  '        access_key_secret: Planted3',
  '        security_token: ${PLANTED}',
  '  - name: b',
  '    regions: [{id: x, endpoint: "https://u:Planted4@example.com"}]',
  '    credentials: {type: credentials_uri, uri: "http://127.0.0.1/?Planted5=1"}',
  '  - name: c',
  '    regions: [x]',
  '    credentials: {type: access_key, access_key_id: Planted6, access_key_secret: |',
  '      Planted7}',
];

/** Slips of the hand: each makes other lines of one. */
const SLIPS: readonly ((line: string) => string)[] = [
  () => '',
  (line) => `${line}\n${line}`,
  (line) => `\t${line}`,
  (line) => ` ${line}`,
  (line) => line.replace(/^ {2}/, ''),
  (line) => `${line}"`,
  (line) => `${line}: x`,
  (line) => line.replace(':', ''),
  (line) => line.replace(': ', ':'),
  (line) => line.replace(/[a-z]/, 'x'),
  (line) => line.replace('_', '-'),
  (line) => line.replace(/["']/, ''),
  (line) => line.replace('}', ''),
  (line) => line.replace('{', '${'),
  ...['*', '&', '!', '%', '@', '`', '- ', '? ', '[', '{', '${', '\\', '<<: ', '"', '>', '|'].flatMap((mark) => [
    (line: string) => line.replace(/(: )/, `$1${mark}`),
    (line: string) => line.replace(/^( *)/, `$1${mark}`),
  ]),
];

describe('a secret', () => {
  it('is in no problem, whatever slip is made anywhere', function () {
    this.timeout(60_000);
    let refused = 0;
    for (const [index, line] of SECRETS.entries()) {
      for (const slip of SLIPS) {
        const problems = problemsOf(SECRETS.with(index, slip(line)).join('\n'), ENV);
        expect(problems.join('\n'), slip(line)).not.to.match(/Planted\d/);
        refused += Math.sign(problems.length);
      }
    }
    expect(refused).to.be.greaterThan(SECRETS.length * 30);
  });
});

describe('any text at all', () => {
  const refusedOrLoaded = (text: string): void => {
    if (problemsOf(text).length === 0) effectiveYaml(load(text).config);
  };
  const KEYS = [
    'accounts',
    'regions',
    'polling',
    'labels',
    'tags',
    'discovery',
    'state',
    '<<',
    '__proto__',
    'constructor',
  ];
  const MARKS = '[ ] { } , - ? : # | >- --- ... *a &a !a !!set " \' \\ ${A} $ 0x 1e999 .nan ~ true 1d 😀'.split(' ');
  const SPACES = ['\n', '\n  ', '\n    ', '\t', '%YAML 1.1\n', '\u0000', '\ufeff', '\u2028', '\ud800'];
  const PIECES = [
    ...SECRETS.map((line) => `${line}\n`),
    ...KEYS.map((key) => `${key}: `),
    ...MARKS.map((mark) => `${mark} `),
    ...MARKS,
    ...SPACES,
  ];

  it('is loaded or refused, never worse', function () {
    this.timeout(60_000);
    const text = fc.array(fc.constantFrom(...PIECES), { maxLength: 25 }).map((pieces) => pieces.join(''));
    fc.assert(fc.property(text, refusedOrLoaded), { numRuns: cases(100) });
    fc.assert(fc.property(fc.string({ unit: 'binary' }), refusedOrLoaded), { numRuns: cases(50) });
    fc.assert(
      fc.property(text, (more) => refusedOrLoaded(ACCOUNT + more)),
      { numRuns: cases(100) },
    );
  });

  it('is refused before its depth can fill the stack', () => {
    for (const deep of ['[', '{', '{a: ', '- ', '? ', '&a [', '"a": [']) {
      expect(problemsOf(deep.repeat(200_000)), deep).to.include('c.yaml:1: YAML syntax: nested too deeply');
    }
  });

  it('is refused before what is wrong with it can fill the memory', () => {
    const wrong = {
      'plain texts that begin with @': [ACCOUNT + '@ x\n'.repeat(1_000), 4],
      'escapes that are none': [`${ACCOUNT}x: "${String.raw`\q`.repeat(1_000)}"\n`, 4],
    } as const;
    for (const [what, [text, line]] of Object.entries(wrong)) {
      const problems = problemsOf(text);
      expect(problems[0], what).to.match(new RegExp(`^c\\.yaml:${line}: YAML syntax: `));
      expect(problems.length, what).to.be.at.most(100);
      expect(problems.join(), what).not.to.contain('more problems');
    }
  });

  it('is refused before there is too much of it', () => {
    const last = 'c.yaml:4: YAML syntax: too much for one file: more than 500000 tokens';
    for (const one of ['x,', '*a,', '[],'].slice(0, cases(3))) {
      expect(problemsOf(`${ACCOUNT}x: [${one.repeat(500_000)}]\n`), one).to.deep.equal([last]);
    }
  }).timeout(60_000);

  it('is refused when its aliases stand for more than it holds', function () {
    this.timeout(60_000);
    const labels = `{${Array.from({ length: 1000 }, (_, index) => `l${index}: x`).join(', ')}}`;
    const instance = `{id: rm-1, region: cn-hangzhou, labels: &labels ${labels}}`;
    const more = '      - {id: rm-1, region: cn-hangzhou, labels: *labels}\n'.repeat(500);
    const problems = problemsOf(`${ACCOUNT}    instances:\n      - ${instance}\n${more}`);
    expect(problems.at(-1)).to.match(/: and \d+ more problems$/);
    expect(problems[0]).to.match(
      /^c\.yaml:5: .*: too many values by now; the file is too large once its aliases are resolved$/,
    );
  });

  it('is refused when a merge contains itself', () => {
    expect(problemsOf(`${ACCOUNT}polling: &p {<<: *p}\n`)[0]).to.match(/^c\.yaml:4: polling.*<< must name a mapping/);
  });
});
