import { expect } from 'chai';
import { FLAGS, helpText } from '../../../dist/cli/flag-table.js';
import { parseFlags } from '../../../dist/cli/flags.js';
import { problemsOf } from '../config/reading.js';

const DEFAULTS = {
  configFile: 'config.yaml',
  configCheck: false,
  configCheckPermissions: false,
  once: false,
  demo: false,
  demoInstances: 24,
  listenAddresses: [{ host: undefined, port: 10_525 }],
  telemetryPath: '/metrics',
  webConfigFile: undefined,
  enableLifecycle: false,
  logLevel: 'info',
  logFormat: 'logfmt',
  version: false,
  help: false,
};

describe('the command line', () => {
  it('has a default for every flag', () => {
    expect(parseFlags([])).to.deep.equal(DEFAULTS);
  });

  it('takes each value after = or as the next argument', () => {
    const expected = {
      ...DEFAULTS,
      configFile: '/etc/x.yaml',
      listenAddresses: [
        { host: 'localhost', port: 1 },
        { host: '::1', port: 65_535 },
        { host: undefined, port: 0 },
      ],
      telemetryPath: '/backup/metrics',
      webConfigFile: 'web.yaml',
      enableLifecycle: true,
      logLevel: 'debug',
      logFormat: 'json',
      version: true,
      help: true,
    };
    const values = [
      ['--config.file', '/etc/x.yaml'],
      ['--web.listen-address', 'localhost:1'],
      ['--web.listen-address', '[::1]:65535'],
      ['--web.listen-address', ':0'],
      ['--web.telemetry-path', '/backup/metrics'],
      ['--web.config.file', 'web.yaml'],
      ['--log.level', 'debug'],
      ['--log.format', 'json'],
    ];
    const switches = ['--web.enable-lifecycle', '--version', '--help'];
    expect(parseFlags([...switches, ...values.flat()])).to.deep.equal(expected);
    expect(parseFlags([...values.map((pair) => pair.join('=')), ...switches])).to.deep.equal(expected);
  });

  it('checks the configuration, and that of the web', () => {
    expect(
      parseFlags(['--config.check', '--config.check-permissions', '--config.file=x', '--web.config.file=y']),
    ).to.deep.equal({
      ...DEFAULTS,
      configCheck: true,
      configCheckPermissions: true,
      configFile: 'x',
      webConfigFile: 'y',
    });
  });

  it('knows the switches that go with no configuration check', () => {
    expect(parseFlags(['--once', '--config.file=x'])).to.deep.equal({ ...DEFAULTS, once: true, configFile: 'x' });
    const { demo, once, demoInstances } = parseFlags(['--demo', '--once', '--demo.instances=5']);
    expect({ demo, once, demoInstances }).to.deep.equal({ demo: true, once: true, demoInstances: 5 });
    expect(parseFlags(['--demo', '--demo.instances', '5']).demoInstances).to.equal(5);
  });

  it('knows -h, and no other letter', () => {
    expect(parseFlags(['-h'])).to.deep.equal({ ...DEFAULTS, help: true });
    expect(problemsOf(() => parseFlags(['-hd']))).to.deep.equal(['unknown flag "-d" (see --help)']);
    expect(problemsOf(() => parseFlags(['--h']))).to.deep.equal(['unknown flag "--h" (see --help)']);
  });

  it('keeps what follows the first = of a value', () => {
    expect(parseFlags(['--config.file=a=b']).configFile).to.equal('a=b');
  });

  it('listens on loopback in the demo, unless told otherwise', () => {
    expect(parseFlags(['--demo']).listenAddresses).to.deep.equal([{ host: '127.0.0.1', port: 10_525 }]);
    expect(parseFlags(['--demo', '--web.listen-address=:1']).listenAddresses).to.deep.equal([
      { host: undefined, port: 1 },
    ]);
  });
});

const REFUSED: readonly (readonly [argv: string, problem: string])[] = [
  ['--colour', 'unknown flag "--colour" (see --help)'],
  ['--config.fil=x', 'unknown flag "--config.fil"; did you mean --config.file? (see --help)'],
  ['--no-demo', 'unknown flag "--no-demo" (see --help)'],
  ['-x', 'unknown flag "-x" (see --help)'],
  ['--constructor', 'unknown flag "--constructor" (see --help)'],
  ['config.yaml', 'unexpected argument "config.yaml" (see --help)'],
  ['-- config.yaml', 'unexpected argument "config.yaml" (see --help)'],
  ['--config.file', '--config.file needs a value: --config.file=PATH (see --help)'],
  ['--config.file=', '--config.file needs a value: --config.file=PATH (see --help)'],
  ['--config.file --once', '--config.file needs a value: --config.file=PATH (see --help)'],
  ['--once=true', '--once takes no value (see --help)'],
  ['--log.level=info --log.level=warn', '--log.level is given more than once (see --help)'],
  ['--log.level=trace', '--log.level: "trace" is not one of debug, info, warn, error (see --help)'],
  ['--log.format=text', '--log.format: "text" is not one of logfmt, json (see --help)'],
  ['--demo --demo.instances=0', '--demo.instances: "0" is not a whole number from 1 to 100000 (see --help)'],
  ['--demo --demo.instances=1e3', '--demo.instances: "1e3" is not a whole number from 1 to 100000 (see --help)'],
  ['--demo --demo.instances=100001', '--demo.instances: "100001" is not a whole number from 1 to 100000 (see --help)'],
  ['--config.check-permissions', '--config.check-permissions needs --config.check (see --help)'],
  ['--config.check-permissions --demo', '--config.check-permissions needs --config.check (see --help)'],
  ['--demo --config.check', '--demo cannot be combined with --config.check (see --help)'],
  ['--config.file=x --demo', '--demo cannot be combined with --config.file (see --help)'],
  ['--config.check --once', '--config.check cannot be combined with --once (see --help)'],
  ['--demo.instances=5', '--demo.instances needs --demo (see --help)'],
  ...['--web.listen-address=:1', '--web.telemetry-path=/m', '--web.enable-lifecycle'].map((web): [string, string] => [
    `${web} --config.check`,
    `--config.check cannot be combined with ${web.split('=')[0]} (see --help)`,
  ]),
  ...['--web.listen-address=:1', '--web.telemetry-path=/m', '--web.config.file=x', '--web.enable-lifecycle'].map(
    (web): [string, string] => [
      `--demo --once ${web}`,
      `--once cannot be combined with ${web.split('=')[0]} (see --help)`,
    ],
  ),
  [
    '--web.telemetry-path=metrics',
    '--web.telemetry-path: "metrics" is not a path such as /metrics: letters, digits and . _ ~ - between slashes (see --help)',
  ],
  [
    '--web.telemetry-path=/a/../b',
    '--web.telemetry-path: "/a/../b" is not a path such as /metrics: letters, digits and . _ ~ - between slashes (see --help)',
  ],
];
const ADDRESS = 'is not [HOST]:PORT, such as :10525, 127.0.0.1:10525 or [::1]:10525 (see --help)';

describe('the command line is refused for', () => {
  for (const [argv, problem] of REFUSED) {
    it(argv, () => {
      expect(problemsOf(() => parseFlags(argv.split(' ')))).to.deep.equal([problem]);
    });
  }

  for (const address of [
    '10525',
    'localhost',
    '::1:1',
    '[::1]',
    '[::1%]:1',
    '[127.0.0.1]:1',
    '[x]:1',
    ':65536',
    ':-1',
    'a b:1',
    'http://a:1',
    ':',
  ]) {
    it(`the listen address ${address}`, () => {
      expect(problemsOf(() => parseFlags([`--web.listen-address=${address}`]))).to.deep.equal([
        `--web.listen-address: "${address}" ${ADDRESS}`,
      ]);
    });
  }

  for (const path of [
    '/',
    '/api/v1/status',
    '/config',
    '/Config',
    '/-/healthy',
    '/-/ready',
    '/-/reload',
    '/assets',
    '/assets/x.css',
  ]) {
    it(`the telemetry path ${path}, which another route has`, () => {
      expect(problemsOf(() => parseFlags([`--web.telemetry-path=${path}`]))).to.deep.equal([
        `--web.telemetry-path: "${path}" is taken by another route (see --help)`,
      ]);
    });
  }
});

describe('the help text', () => {
  it('names each flag with its default', () => {
    const text = helpText();
    for (const { name } of FLAGS) expect(text).to.contain(`\n  --${name}`);
    expect(text).to.contain(
      '\n  --web.listen-address=[HOST]:PORT\n        address to listen on; repeatable (default :10525)\n',
    );
    expect(text.split('\n').filter((line) => line.length > 160)).to.deep.equal([]);
  });
});
