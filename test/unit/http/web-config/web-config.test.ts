import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import * as fc from 'fast-check';
import { UsageError } from '../../../../dist/errors.js';
import { readWebConfig } from '../../../../dist/http/web-config/web-config.js';
import type { WebConfig } from '../../../../dist/http/web-config/web-config.js';
import { needTool } from '../../../helpers/tools.js';
import { cases } from '../../../helpers/cases.js';
import { Certificates } from './certificates.js';

const HASH = '$2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG';
const TLS = 'tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n';
const user = (hash: string): string => `basic_auth_users:\n  alice: ${hash}\n`;
const header = (line: string): string => `http_server_config:\n  headers:\n    ${line}\n`;

/** What real promtool says of each is asserted below, so that this table cannot drift from it. */
const ACCEPTED: readonly string[] = [
  '',
  '# nothing\n',
  'null\n',
  '{}\n---\nunknown: 1\n',
  '\uFEFFbasic_auth_users: {}\n',
  'tls_server_config:\n',
  'tls_server_config:\n  min_version: TLS13\n',
  "tls_server_config:\n  client_ca_file: ''\n",
  TLS,
  'tls_server_config:\n  cert_file: both.pem\n  key_file: both.pem\n',
  'tls_server_config:\n  cert_file: rsa.pem\n  key_file: rsa.key\n',
  'tls_server_config:\n  cert_file: ./server.pem\n  key_file: "server.key"\n',
  'tls_server_config:\n  <<: {cert_file: server.pem, key_file: server.key}\n',
  `${TLS}  client_auth_type: NoClientCert\n`,
  `${TLS}  client_auth_type: ''\n`,
  `${TLS}  client_auth_type: RequestClientCert\n`,
  `${TLS}  client_auth_type: RequireClientCert\n`,
  `${TLS}  client_auth_type: RequireAnyClientCert\n`,
  `${TLS}  client_auth_type: VerifyClientCertIfGiven\n  client_ca_file: ca.pem\n`,
  `${TLS}  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n`,
  `${TLS}  client_auth_type: RequireAndVerifyClientCert\n`,
  `${TLS}  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: garbage.pem\n`,
  `${TLS}  min_version: TLS10\n  max_version: TLS11\n`,
  `${TLS}  min_version: TLS13\n  max_version: TLS12\n`,
  `${TLS}  min_version:\n`,
  `${TLS}  cipher_suites: [TLS_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]\n`,
  `${TLS}  cipher_suites: []\n`,
  `${TLS}  cipher_suites: [null]\n`,
  `${TLS}  curve_preferences: [CurveP256, CurveP384, CurveP521, X25519]\n`,
  ...['yes', 'y', 'On', 'FALSE', 'no', '~', '', "!!bool 'true'"].map(
    (value) => `${TLS}  prefer_server_cipher_suites: ${value}\n`,
  ),
  'http_server_config:\n  http2: false\n',
  'http_server_config:\n  headers:\n',
  header('Strict-Transport-Security: max-age=5'),
  header('Strict-Transport-Security: ""'),
  header('X-XSS-Protection: 0'),
  header('X-XSS-Protection: true'),
  header('X-Frame-Options: deny'),
  header('X-Frame-Options: sameorigin'),
  header('X-Content-Type-Options: nosniff'),
  header('Content-Security-Policy: "a\\nb"'),
  'basic_auth_users:\n',
  user(HASH),
  user(HASH.replace('2y', '2a')),
  user(HASH.replace('2y', '2b')),
  user(HASH.replace('2y', '2x')),
  user(HASH.replace('2y', '2')),
  user(HASH.replace('2y', '1a')),
  user(HASH.replace('$10$', '$31$')),
  user(HASH.replace('$10$', '$+9$')),
  user(HASH.replace('$10$', '$10x')),
  user(HASH.slice(0, -1)),
  user(`${HASH}a`),
  `basic_auth_users:\n  '': ${HASH}\n  0x10: ${HASH}\n`,
  `basic_auth_users:\n  ~: ${HASH}\n`,
  `basic_auth_users:\n  a: &h ${HASH}\n  b: *h\n`,
  `basic_auth_users:\n  <<: [{a: ${HASH}}, {b: ${HASH}}]\n`,
];

/** Each with what is said of it, after `web.yml:`. */
const REJECTED: readonly (readonly [yaml: string, ...problems: string[]])[] = [
  ['[]\n', '1: must be a mapping'],
  ['text\n', '1: must be a mapping'],
  [
    'unknown: 1\n',
    '1: unknown: unknown key; known here: tls_server_config, http_server_config, basic_auth_users, rate_limit',
  ],
  ['tls_server_config:\ntls_server_config:\n', '2: tls_server_config: stands twice'],
  ['tls_server_config: text\n', '1: tls_server_config: must be a mapping'],
  ['tls_server_config:\n  cert_file: server.pem\n', '2: tls_server_config: needs key or key_file'],
  ['tls_server_config:\n  key_file: server.key\n', '2: tls_server_config: needs cert or cert_file'],
  [
    'tls_server_config:\n  client_auth_type: NoClientCert\n',
    '2: tls_server_config: needs cert or cert_file',
    '2: tls_server_config: needs key or key_file',
  ],
  [
    'tls_server_config:\n  cert_file: nope.pem\n  key_file: server.key\n',
    '2: tls_server_config.cert_file: cannot be read: ENOENT',
  ],
  [
    'tls_server_config:\n  cert_file: server.pem\n  key_file: ca.key\n',
    '3: tls_server_config.key_file: is not the key of the certificate',
  ],
  [
    'tls_server_config:\n  cert_file: garbage.pem\n  key_file: garbage.pem\n',
    '2: tls_server_config.cert_file: holds no PEM certificate',
    '3: tls_server_config.key_file: holds no PEM private key, or one that is encrypted',
  ],
  [
    'tls_server_config:\n  cert_file: server.der\n  key_file: encrypted.key\n',
    '2: tls_server_config.cert_file: holds no PEM certificate',
    '3: tls_server_config.key_file: holds no PEM private key, or one that is encrypted',
  ],
  [
    `${TLS}  client_ca_file: ca.pem\n`,
    '4: tls_server_config.client_ca_file: needs a client_auth_type that asks for a certificate',
  ],
  [
    `${TLS}  client_ca_file: nope.pem\n  client_auth_type: RequireAndVerifyClientCert\n`,
    '4: tls_server_config.client_ca_file: cannot be read: ENOENT',
  ],
  [
    `${TLS}  client_auth_type: requireClientCert\n`,
    '4: tls_server_config.client_auth_type: requireClientCert is none of NoClientCert, RequestClientCert, ' +
      'RequireAnyClientCert, VerifyClientCertIfGiven, RequireAndVerifyClientCert',
  ],
  [
    `${TLS}  min_version: TLS1.2\n  max_version: ''\n`,
    '4: tls_server_config.min_version: TLS1.2 is none of TLS10, TLS11, TLS12, TLS13',
    '5: tls_server_config.max_version: … is none of TLS10, TLS11, TLS12, TLS13',
  ],
  [`${TLS}  cipher_suites: TLS_AES_128_GCM_SHA256\n`, '4: tls_server_config.cipher_suites: must be a list'],
  [
    `${TLS}  curve_preferences: [X25519, constructor]\n`,
    '4: tls_server_config.curve_preferences[1]: constructor is none of CurveP256, CurveP384, CurveP521, X25519',
  ],
  ...["'true'", '1', '!!str true', 'maybe', '[]'].map(
    (value) =>
      [
        `${TLS}  prefer_server_cipher_suites: ${value}\n`,
        '4: tls_server_config.prefer_server_cipher_suites: must be true or false',
      ] as const,
  ),
  ['http_server_config:\n  http2: maybe\n', '2: http_server_config.http2: must be true or false'],
  ['http_server_config:\n  foo: 1\n', '2: http_server_config.foo: unknown key; known here: http2, headers'],
  [
    header('strict-transport-security: x'),
    '3: http_server_config.headers.strict-transport-security: unknown key; known here: Strict-Transport-Security, ' +
      'X-Content-Type-Options, X-Frame-Options, X-XSS-Protection, Content-Security-Policy',
  ],
  [header('X-Frame-Options: DENY'), '3: http_server_config.headers.X-Frame-Options: must be deny or sameorigin'],
  [header('X-Frame-Options:'), '3: http_server_config.headers.X-Frame-Options: must be deny or sameorigin'],
  [header('X-Content-Type-Options: x'), '3: http_server_config.headers.X-Content-Type-Options: must be nosniff'],
  [header('Strict-Transport-Security: [a]'), '3: http_server_config.headers.Strict-Transport-Security: must be a text'],
  ['basic_auth_users: [a]\n', '1: basic_auth_users: must be a mapping'],
  [
    user('{b: c}'),
    '2: basic_auth_users.alice: must be a text',
    '2: basic_auth_users.alice: must be a bcrypt hash; this is too short for one',
  ],
  [user('hunter2'), '2: basic_auth_users.alice: must be a bcrypt hash; this is too short for one'],
  [user(''), '2: basic_auth_users.alice: must be a bcrypt hash; this is too short for one'],
  [user(HASH.slice(0, -2)), '2: basic_auth_users.alice: must be a bcrypt hash; this is too short for one'],
  [user(`x${HASH}`), '2: basic_auth_users.alice: must be a bcrypt hash, which starts with $2'],
  [user(HASH.replace('2y', '3a')), '2: basic_auth_users.alice: must be a bcrypt hash of version 2'],
  [user(HASH.replace('$10$', '$03$')), '2: basic_auth_users.alice: must be a bcrypt hash of a cost from 4 to 31'],
  [user(HASH.replace('$10$', '$32$')), '2: basic_auth_users.alice: must be a bcrypt hash of a cost from 4 to 31'],
  [`${user(HASH)}  alice: ${HASH}\n`, '3: basic_auth_users.alice: stands twice'],
  [`${user(HASH)}  <<: {alice: ${HASH}}\n`, '3: basic_auth_users.alice: stands twice'],
  [`basic_auth_users:\n  '': ${HASH}\n  ~: ${HASH}\n`, '3: basic_auth_users.…: stands twice'],
  ['basic_auth_users:\n  <<: text\n', '2: basic_auth_users: a merge needs a mapping or a list of mappings'],
  ['a: [\n', '2: is no valid YAML: bad indent'],
  ['a:\n\t- b\n', '2: is no valid YAML: tab as indent'],
  ['http_server_config: {http2: \u0000}\n', '1: must be UTF-8 without control bytes'],
];

describe('the web configuration file', () => {
  const certificates = new Certificates();
  const parse = (yaml: string | Buffer): WebConfig =>
    readWebConfig(certificates.path('web.yml'), {
      readFile: (path) => (path === certificates.path('web.yml') ? Buffer.from(yaml) : readFileSync(path)),
      following: false,
    });

  function problemsOf(yaml: string | Buffer): string[] {
    try {
      parse(yaml);
    } catch (error) {
      if (error instanceof UsageError)
        return error.problems.map((line) => line.replace(`${certificates.path('web.yml')}:`, ''));
      throw error;
    }
    return [];
  }

  before(function () {
    needTool(this, 'openssl', 'openssl');
    for (const name of ['server', 'ca']) certificates.selfSigned(name);
    certificates.write('both.pem', certificates.text('server.key') + certificates.text('server.pem'));
    certificates.write('garbage.pem', 'garbage\n');
    const openssl = (...args: string[]): unknown =>
      execFileSync('openssl', args, { cwd: certificates.folder, stdio: 'ignore' });
    openssl('x509', '-in', 'server.pem', '-outform', 'DER', '-out', 'server.der');
    openssl('ec', '-in', 'server.key', '-aes128', '-passout', 'pass:x', '-out', 'encrypted.key');
    openssl(
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      'rsa.key',
      '-out',
      'rsa.pem',
      '-subj',
      '/CN=rsa',
    );
  });
  after(() => certificates.remove());

  it('is accepted where the toolkit accepts it', () => {
    for (const yaml of ACCEPTED) expect(problemsOf(yaml), yaml).to.deep.equal([]);
  });

  it('is rejected where the toolkit rejects it, each problem with its line, path and rule', () => {
    for (const [yaml, ...problems] of REJECTED) expect(problemsOf(yaml), yaml).to.deep.equal(problems);
    expect(problemsOf(Buffer.from([0xff, 0x0a]))).to.deep.equal(['1: must be UTF-8 without control bytes']);
  });

  it('is judged by promtool as it is here', function () {
    this.timeout(60_000);
    const promtool = needTool(this, 'promtool', 'prometheus (Debian 12) or promtool (Debian 13)');
    const accepted = ACCEPTED.map((yaml, index) => certificates.write(`ok-${index}.yml`, yaml));
    const rejected = REJECTED.map(([yaml], index) => certificates.write(`bad-${index}.yml`, yaml));
    const { stderr } = spawnSync(promtool, ['check', 'web-config', ...accepted, ...rejected], { encoding: 'utf8' });
    const verdicts = Array.from(stderr.matchAll(/^(.+) (SUCCESS|FAILED: .*)$/gm), ([, path, verdict]) => ({
      path,
      verdict,
    }));
    const yamlOf = (path?: string): string => readFileSync(path!, 'utf8');
    const judged = (start: string): string[] =>
      verdicts.filter(({ verdict }) => verdict!.startsWith(start)).map(({ path }) => yamlOf(path));
    expect(judged('SUCCESS')).to.deep.equal(accepted.map(yamlOf));
    expect(judged('FAILED')).to.deep.equal(rejected.map(yamlOf));
  });

  /** Of keys that promtool knows only since later versions, and of those it reads but does not check. */
  const LATER: readonly (readonly [yaml: string, ...problems: string[]])[] = [
    [`${TLS}  client_auth_type: RequireAnyClientCert\n  client_allowed_sans: [a.example]\n`],
    [`${TLS}  client_auth_type: RequireAndVerifyClientCert\n  client_allowed_sans: []\n`],
    [`${TLS}  client_allowed_sans:\n`],
    [
      `${TLS}  client_auth_type: VerifyClientCertIfGiven\n  client_allowed_sans: [a.example]\n`,
      '5: tls_server_config.client_allowed_sans: needs client_auth_type RequireAndVerifyClientCert or RequireAnyClientCert',
    ],
    [`${TLS}  client_allowed_sans: a.example\n`, '4: tls_server_config.client_allowed_sans: must be a list'],
    [
      `${TLS}  key: text\n  cert: text\n`,
      '2: tls_server_config.cert_file: must not stand beside cert',
      '3: tls_server_config.key_file: must not stand beside key',
    ],
    [
      'tls_server_config:\n  cert: garbage\n  key: garbage\n  client_ca: garbage\n',
      '4: tls_server_config.client_ca: needs a client_auth_type that asks for a certificate',
      '2: tls_server_config.cert: holds no PEM certificate',
      '3: tls_server_config.key: holds no PEM private key, or one that is encrypted',
    ],
    ['rate_limit:\n'],
    ['rate_limit: {}\n'],
    ['rate_limit: {interval: 0, burst: 5}\n'],
    ['rate_limit: {interval: 1m0.5s, burst: 1}\n'],
    [
      'rate_limit: {interval: 5, burst: 5}\n',
      '1: rate_limit.interval: must be a duration with a unit, such as 100ms, or 0 for no limit',
    ],
    [
      'rate_limit: {interval: -1s, burst: 5}\n',
      '1: rate_limit.interval: must be a duration with a unit, such as 100ms, or 0 for no limit',
    ],
    [
      'rate_limit: {interval: 1d, burst: 5}\n',
      '1: rate_limit.interval: must be a duration with a unit, such as 100ms, or 0 for no limit',
    ],
    ['rate_limit: {interval: 1s, burst: many}\n', '1: rate_limit.burst: must be a whole number'],
    ['rate_limit: {interval: 1s}\n', '1: rate_limit: burst must be at least 1, or every request is refused'],
    [
      'rate_limit: {interval: 1s, burst: 0}\n',
      '1: rate_limit.burst: burst must be at least 1, or every request is refused',
    ],
    [
      'rate_limit: {interval: 1s, size: 1}\n',
      '1: rate_limit.size: unknown key; known here: interval, burst',
      '1: rate_limit: burst must be at least 1, or every request is refused',
    ],
  ];

  it('knows the newer keys by their documentation', () => {
    for (const [yaml, ...problems] of LATER) expect(problemsOf(yaml), yaml).to.deep.equal(problems);
    expect(parse('rate_limit: {interval: 1m0.5s, burst: 7}\n').rateLimit).to.deep.equal({
      intervalMs: 60_500,
      burst: 7,
    });
    expect(parse('rate_limit: {interval: 250µs, burst: 1}\n').rateLimit).to.deep.equal({ intervalMs: 0.25, burst: 1 });
    expect(parse('rate_limit: {interval: 0s, burst: 1}\n').rateLimit).to.equal(undefined);
  });

  it('tells all its problems in one go', () => {
    expect(problemsOf('a: 1\nbasic_auth_users:\n  x: y\nhttp_server_config:\n  http2: 3\n')).to.deep.equal([
      '1: a: unknown key; known here: tls_server_config, http_server_config, basic_auth_users, rate_limit',
      '5: http_server_config.http2: must be true or false',
      '3: basic_auth_users.x: must be a bcrypt hash; this is too short for one',
    ]);
  });

  it('is refused before it takes long or much memory', () => {
    const merged = (levels: number): string =>
      Array.from({ length: levels }, (_, n) =>
        n === 0 ? 'm0: &m0 {a: b}\n' : `m${n}: &m${n} {<<: [${`*m${n - 1}, `.repeat(9)}]}\n`,
      ).join('');
    const bombs: readonly (readonly [string, RegExp])[] = [
      ['#'.repeat(256 * 1024 + 1), /^1: must not be larger than 256 KiB$/],
      ...['[', '{a: ', '- ', '&a [', '? ']
        .slice(0, cases(5))
        .map((open) => [open.repeat(20_000), /^1: must not be nested deeper than 100 levels$/] as const),
      [`${merged(9)}basic_auth_users: *m8\n`, /^10: basic_auth_users: must not merge more than 1000 mappings$/],
      [`a: &a x\n${TLS}  cipher_suites: [${'*a, '.repeat(20_000)}]\n`, /^5: more than 100 aliases$/],
    ];
    for (const [yaml, problem] of bombs) {
      const problems = problemsOf(yaml);
      expect(problems.length, yaml.slice(0, 20)).to.be.at.most(101);
      expect(
        problems.some((line) => problem.test(line)),
        `${yaml.slice(0, 20)}: ${problems[0]}`,
      ).to.equal(true);
    }
    expect(problemsOf('k: 1\n'.repeat(1_000))).to.have.length(101);
  });

  it('warns of what is accepted but hardly meant', () => {
    const warnings: readonly (readonly [string, string])[] = [
      ['http_server_config:\n  http2: true\n', 'http2 is not offered: clients speak HTTP/1.1'],
      ['tls_server_config:\n  min_version: TLS13\n', 'tls_server_config names no certificate, so TLS stays off'],
      [`${TLS}  min_version: TLS13\n  max_version: TLS12\n`, 'min_version is above max_version: no client can connect'],
      [
        `${TLS}  client_auth_type: RequireAndVerifyClientCert\n`,
        'without a client CA, certificates of any public authority are trusted',
      ],
    ];
    for (const [yaml, warning] of warnings) expect(parse(yaml).warnings).to.deep.equal([warning]);
    expect(
      parse(`${TLS}  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n`).warnings,
    ).to.deep.equal([]);
  });

  it('never shows a secret or throws anything but its problems, whatever it holds', function () {
    this.timeout(30_000);
    const secret = 's3cr3t-value';
    const words = fc.constantFrom(
      'tls_server_config',
      'http_server_config',
      'basic_auth_users',
      'rate_limit',
      'cert',
      'key',
      'cert_file',
      'headers',
      'interval',
      'cipher_suites',
      ': ',
      ':\n  ',
      '\n',
      '\n  ',
      '- ',
      '[',
      ']',
      '{',
      '}',
      ', ',
      '&a ',
      '*a',
      '<<',
      '!!bool ',
      '|',
      '"',
      "'",
      '#',
      '%',
      '---',
      '?',
      '\t',
      'null',
      'yes',
      '1',
      '$2y$10$',
      '\u0000',
      '\uFEFF',
      'toString',
      '__proto__',
    );
    const keyed = fc.constantFrom(
      'tls_server_config:\n  key: ',
      'tls_server_config:\n  cert: ',
      'basic_auth_users:\n  a: ',
    );
    const anything = fc.array(words, { maxLength: 30 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(keyed, anything, anything, (start, before, after) => {
        for (const yaml of [`${before}${after}`, `${start}"${secret}"\n${after}`, `${start}${secret}${after}`]) {
          const problems = problemsOf(yaml);
          for (const problem of problems) expect(problem).to.match(/^\d+: /);
          if (yaml.includes(`"${secret}"\n`)) expect(problems.join('\n')).not.to.contain(secret);
        }
      }),
      { numRuns: cases(150) },
    );
  });
});
