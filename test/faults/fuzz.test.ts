import { readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { expect } from 'chai';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { warningsOf } from '../../dist/exporter/configuration.js';
import { effectiveYaml } from '../../dist/config/effective.js';
import { parseConfig } from '../../dist/config/load.js';
import { UsageError } from '../../dist/errors.js';
import { TASK_STATUSES } from '../../dist/domain/model.js';
import type { WireAnswer } from '../helpers/wire.js';
import { parseText } from '../unit/metrics/parse.js';
import type { Series } from '../unit/metrics/parse.js';
import { FuzzedExporter, IDLE_MS } from './fuzzed.js';

const TRIED_MS = 3_000;

/** Tries so many values, but no more once the time is over: a slow machine tries fewer. */
async function holds<T>(
  values: fc.Arbitrary<T>,
  numRuns: number,
  check: (value: T) => Promise<void> | void,
): Promise<void> {
  const until = performance.now() + TRIED_MS;
  const property = fc.asyncProperty(values, async (value) => {
    if (performance.now() < until) await check(value);
  });
  await fc.assert(property, { numRuns });
}

/** Mostly what is there, now and then something else. */
function nearly<T>(usual: fc.Arbitrary<T>): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: 6, arbitrary: usual },
    { weight: 1, arbitrary: fc.jsonValue() },
    { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
  );
}

/** A field that may be missing or be spelt otherwise. */
function fields(given: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<object> {
  return (
    fc
      .tuple(
        fc.record(given, { requiredKeys: [] }),
        fc.dictionary(fc.constantFrom('__proto__', 'constructor', 'items', 'x'), fc.jsonValue(), { maxKeys: 1 }),
      )
      // Not by assignment: `__proto__` is to be a field like any other.
      .map((parts) => Object.fromEntries(parts.flatMap((part) => Object.entries(part))))
  );
}

describe('answers of the API, near the real ones and far from them', function () {
  this.timeout(180_000);
  const WORDS = [...TASK_STATUSES, 'finished', ''];
  const word = nearly(fc.constantFrom(...WORDS));
  const id = nearly(
    fc.oneof(
      fc.integer({ min: 0, max: 5 }),
      fc.integer({ min: 0, max: 5 }).map(String),
      fc.bigInt({ min: 0n }).map(String),
    ),
  );
  const job = fields({
    BackupJobId: id,
    BackupStatus: word,
    BackupProgressStatus: word,
    JobMode: nearly(fc.constantFrom('Automated', 'Manual', 'manual')),
    Process: nearly(fc.oneof(fc.integer({ min: -10, max: 200 }), fc.double().map(String))),
    TaskAction: nearly(fc.constantFrom('TempBackupTask', 'NormalBackupTask')),
    BackupId: id,
  });
  const instance = fields({
    DBInstanceId: nearly(fc.oneof(fc.constantFrom('rm-plain', 'rm-fuzzed', '__proto__', 'rm\n"\\{}'), fc.string())),
    DBInstanceDescription: nearly(fc.string({ unit: 'grapheme' })),
    Engine: nearly(fc.constantFrom('MySQL', 'PostgreSQL', 'Redis')),
    EngineVersion: nearly(fc.constant('8.0')),
    DBInstanceType: nearly(fc.constantFrom('Primary', 'Readonly')),
  });
  const tag = fields({ TagKey: nearly(fc.constantFrom('env', 'team', '__proto__')), TagValue: nearly(fc.string()) });
  const tagged = fields({
    DBInstanceId: nearly(fc.constant('rm-fuzzed')),
    Tags: nearly(fields({ Tag: nearly(fc.array(tag)) })),
  });
  const list = (entry: fc.Arbitrary<object>): fc.Arbitrary<unknown> =>
    nearly(fc.oneof(fc.array(entry, { maxLength: 5 }), entry));
  const body = fields({
    RequestId: nearly(fc.uuid()),
    Items: nearly(fields({ BackupJob: list(job), DBInstance: list(instance), DBInstanceTag: list(tagged) })),
    NextToken: nearly(fc.constantFrom('', '', 't1', 't2')),
    TotalRecordCount: nearly(fc.integer({ min: -1, max: 500 })),
    Code: fc.option(
      nearly(
        fc.constantFrom(
          'Throttling',
          'InvalidDBInstanceName.NotFound',
          'Forbidden.RAM',
          'ReadDBInstanceNotSupport',
          'planted-id',
        ),
      ),
      { freq: 3 },
    ),
    Message: nearly(fc.constantFrom('planted-id', 'specified signature does not match: planted-secret')),
  });
  const bytes = fc.oneof(
    { weight: 8, arbitrary: body.map((value) => JSON.stringify(value)) },
    { weight: 1, arbitrary: fc.json() },
    { weight: 1, arbitrary: fc.uint8Array().map((array) => Buffer.from(array)) },
    { weight: 1, arbitrary: fc.constantFrom('[', '{"a":').map((deep) => deep.repeat(5_000)) },
  );
  const answer: fc.Arbitrary<WireAnswer> = fc.oneof(
    {
      weight: 12,
      arbitrary: fc.record({
        status: fc.oneof(
          { weight: 5, arbitrary: fc.constant(200) },
          { weight: 1, arbitrary: fc.constantFrom(204, 302, 400, 403, 404, 429, 500, 503) },
        ),
        headers: fc.dictionary(
          fc.constantFrom(
            'content-type',
            'content-encoding',
            'x-acs-retry-after',
            'x-ratelimit-user',
            'x-acs-request-id',
          ),
          fc.oneof(fc.string(), fc.nat(10_000).map(String)),
          { maxKeys: 2 },
        ),
        body: bytes,
      }),
    },
    { weight: 1, arbitrary: fc.string().map((text) => new Error(text)) },
  );

  it('break nothing, and show nothing that cannot be', async () => {
    const polls = fc.array(fc.array(answer, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 8 });
    await holds(polls, 60, async (given) => {
      const exporter = await FuzzedExporter.start();
      try {
        for (const answers of given) {
          let next = 0;
          exporter.answer = () => answers[next++ % answers.length]!;
          await exporter.clock.advance(IDLE_MS);
          const page = await exporter.page();
          exporter.expectUntouched(page);
          expectBelievable(parseText(page));
          expect(page).not.to.contain('planted');
        }
        expect(exporter.errors).to.deep.equal([]);
      } finally {
        await exporter.stop();
      }
    });
  });

  it('that are no answer at all leave an instance without tasks, not with none', async () => {
    const noAnswer = fc.oneof(
      fc.uint8Array().map((array) => Buffer.concat([Buffer.from([0xff]), array])),
      fc.constantFrom(
        '',
        'null',
        '[]',
        '"x"',
        '1',
        '{',
        '{"Items":[]}',
        '{"Items":"x"}',
        '{"Items":{"BackupJob":"x"}}',
      ),
    );
    await holds(fc.array(noAnswer, { minLength: 1, maxLength: 4 }), 10, async (answers) => {
      const exporter = await FuzzedExporter.start();
      try {
        let next = 0;
        exporter.answer = () => ({ status: 200, body: answers[next++ % answers.length]! });
        await exporter.clock.advance(7 * IDLE_MS);
        const page = await exporter.page();
        const shown = parseText(page).filter(({ labels }) => labels['instance_id'] === 'rm-fuzzed');
        expect(shown.find(({ name }) => name.endsWith('_poll_success'))?.value).to.equal(0);
        expect(shown.filter(({ name }) => /_tasks$|_task_/.test(name))).to.deep.equal([]);
        exporter.expectUntouched(page);
      } finally {
        await exporter.stop();
      }
    });
  });

  /** What holds on every page, whatever was answered. */
  function expectBelievable(page: readonly Series[]): void {
    const seen = new Set<string>();
    const sets = new Map<string, number>();
    for (const { name, labels, value } of page) {
      const key = `${name}${JSON.stringify(labels)}`;
      expect(seen.has(key), `twice: ${key}`).to.equal(false);
      seen.add(key);
      expect(Number.isFinite(value), key).to.equal(true);
      if (name.endsWith('_progress_ratio')) expect(value, key).to.be.within(0, 1);
      if (!name.endsWith('_status')) continue;
      const set = `${name}${JSON.stringify({ ...labels, status: '' })}`;
      sets.set(set, (sets.get(set) ?? 0) + value);
    }
    for (const [set, ones] of sets) expect(ones, set).to.equal(1);
  }
});

describe('configuration text', function () {
  this.timeout(180_000);
  const EXAMPLE = readFileSync(new URL('../../config.example.yaml', import.meta.url), 'utf8');
  const ENV = {
    ALIBABA_CLOUD_ACCESS_KEY_ID: 'PlantedId',
    ALIBABA_CLOUD_ACCESS_KEY_SECRET: 'PlantedSecret',
    EXTERNAL_ID: 'PlantedExternal',
  };
  const PIECES = [
    ...': - # { } [ ] & * ! | > % @ ` " \' \\ , ? $ ~ \t'.split(' '),
    '${X}',
    '${',
    '$$',
    '<<: ',
    '\n',
    '\n  ',
    '---\n',
    'null',
    '1e999',
    '0x',
    '-1',
    '9'.repeat(400),
    '\u0000',
    '\ufeff',
    '\ud800',
    '😀',
  ];

  /** Loaded or refused with problems that say where; never anything else, and never a secret. */
  function expectLoadedOrRefused(text: string): void {
    let told: string;
    try {
      const loaded = parseConfig(text, { env: ENV, file: 'c.yaml' });
      told = [effectiveYaml(loaded.config), ...warningsOf(loaded)].join('\n');
    } catch (thrown) {
      if (!(thrown instanceof UsageError)) throw thrown;
      expect(thrown.problems).not.to.deep.equal([]);
      for (const problem of thrown.problems) expect(problem).to.match(/^c\.yaml:(\d+: .|\sand \d+ more problems$)/s);
      told = thrown.problems.join('\n');
    }
    expect(told).not.to.contain('Planted');
  }

  /** Changes of single lines and characters. */
  const change = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
    what: fc.oneof(
      fc.constantFrom(
        'delete line',
        'repeat line',
        'swap lines',
        'indent',
        'dedent',
        'uncomment',
        'cut',
        'delete character',
      ),
      fc.constantFrom(...PIECES).map((piece) => ({ insert: piece })),
    ),
  });
  type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

  function changed(text: string, { at, what }: Change): string {
    const lines = text.split('\n');
    const index = Math.floor(at * lines.length);
    const line = lines[index] ?? '';
    const offset = Math.floor(at * text.length);
    if (typeof what === 'object') return text.slice(0, offset) + what.insert + text.slice(offset);
    switch (what) {
      case 'delete line':
        return lines.toSpliced(index, 1).join('\n');
      case 'repeat line':
        return lines.toSpliced(index, 0, line).join('\n');
      case 'swap lines':
        return lines.toSpliced(index, 2, ...lines.slice(index, index + 2).toReversed()).join('\n');
      case 'indent':
        return lines.with(index, `  ${line}`).join('\n');
      case 'dedent':
        return lines.with(index, line.replace(/^ {1,2}/, '')).join('\n');
      case 'uncomment':
        return lines.with(index, line.replace(/# ?/, '')).join('\n');
      case 'cut':
        return text.slice(0, offset);
      default:
        return text.slice(0, offset) + text.slice(offset + 1);
    }
  }

  it('made from the example by slips is loaded or refused, with a line for each problem and no secret', async () => {
    await holds(fc.array(change, { minLength: 1, maxLength: 6 }), 400, (changes) =>
      expectLoadedOrRefused(changes.reduce(changed, EXAMPLE)),
    );
  });

  it('of any shape is loaded or refused', async () => {
    const KEYS = [...new Set(EXAMPLE.match(/\b[a-z_]+(?=:)/g))];
    const scalar = fc.oneof(
      fc.constantFrom(
        '5m',
        '1h',
        '-1s',
        'cn-hangzhou',
        'access_key',
        'default',
        '${EXTERNAL_ID}',
        '${NO_SUCH}',
        '(',
        'https://x',
        true,
        null,
        0,
        -1,
        1e99,
        NaN,
      ),
      fc.string({ unit: 'binary', maxLength: 10 }),
      fc.double(),
    );
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 5, withCrossShrink: true },
        scalar,
        fc.dictionary(
          fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...KEYS) }, { weight: 1, arbitrary: fc.string() }),
          tie('value'),
          { maxKeys: 6 },
        ),
        fc.array(tie('value'), { maxLength: 4 }),
      ),
    }));
    const account = fc.record(
      {
        name: scalar,
        regions: fc.array(fc.oneof(scalar, value)),
        credentials: value,
        instances: value,
        discovery: value,
        rate_limit: value,
        stuck_after: scalar,
      },
      { requiredKeys: ['name', 'regions'] },
    );
    const whole = fc.record(
      { accounts: fc.oneof(fc.array(account, { maxLength: 3 }), value), polling: value, sharding: value, state: value },
      { requiredKeys: [] },
    );
    await holds(fc.oneof(whole, value), 300, (shape) => expectLoadedOrRefused(stringify(shape)));
    await holds(fc.uint8Array({ maxLength: 200 }), 100, (array) =>
      expectLoadedOrRefused(Buffer.from(array).toString()),
    );
  });
});

describe('requests over HTTP', function () {
  this.timeout(180_000);
  const LATE_MS = 15_000;
  let exporter: FuzzedExporter;

  before(async () => {
    exporter = await FuzzedExporter.start();
  });
  after(() => exporter.stop());

  /** What the server said, whole; empty when it only closed the connection. */
  function say(bytes: string | Buffer): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(exporter.port, '127.0.0.1');
      const late = setTimeout(() => reject(new Error('no end of the connection')), LATE_MS);
      let told = '';
      socket.setEncoding('latin1').on('data', (chunk) => (told += String(chunk)));
      socket.on('error', () => undefined);
      socket.on('close', () => {
        clearTimeout(late);
        resolve(told);
      });
      socket.end(bytes);
    });
  }

  function ask({ method, path, headers }: Asked): Promise<number | undefined> {
    return new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port: exporter.port, method, path, headers, agent: false, timeout: LATE_MS };
      const request = httpRequest(options, (response) => {
        response.resume().on('close', () => resolve(response.statusCode));
      });
      request.on('timeout', () => reject(new Error(`${method} ${path} is not answered`)));
      request.on('error', () => resolve(undefined));
      request.end();
    });
  }

  interface Asked {
    readonly method: string;
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
  }

  async function expectWell(): Promise<void> {
    const page = await exporter.page();
    exporter.expectUntouched(page);
    expect(exporter.errors).to.deep.equal([]);
  }

  const PATHS = [
    '/',
    '/metrics',
    '/api/v1/status',
    '/config',
    '/-/healthy',
    '/-/ready',
    '/-/reload',
    '/..',
    '//',
    '/%2e%2e/',
    '/%',
    '*',
    '/metrics/',
  ];
  const PARAMETERS = [
    'q',
    'state',
    'account',
    'region_id',
    'engine',
    'sort',
    'limit',
    'offset',
    'instance',
    '__proto__',
    'x',
  ];
  const VALUES = [
    '',
    '0',
    '-1',
    '1e9',
    '9'.repeat(30),
    'NaN',
    'running',
    'stuck',
    'fuzzed',
    'rm-plain',
    '%',
    '%00',
    '%ff',
    '+',
    '&&',
    '<script>',
    '(((((a+)+)+)+)+$',
  ];
  const parameter = fc.tuple(
    fc.constantFrom(...PARAMETERS),
    fc.oneof(fc.constantFrom(...VALUES), fc.string({ unit: 'binary' }).map(safeEncode)),
  );
  const query = fc
    .array(parameter, { maxLength: 4 })
    .map((pairs) => pairs.map(([name, value]) => `${name}=${value}`).join('&'));
  const asked = fc.record({
    method: fc.oneof(
      { weight: 4, arbitrary: fc.constant('GET') },
      {
        weight: 1,
        arbitrary: fc.constantFrom('HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE', 'PURGE', 'SEARCH'),
      },
    ),
    path: fc
      .tuple(
        fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...PATHS) }, { weight: 1, arbitrary: fc.webPath() }),
        query,
      )
      .map(([path, text]) => (text === '' ? path : `${path}?${text}`.replaceAll(/[\s<>]/g, ''))),
    headers: fc.dictionary(
      fc.constantFrom(
        'accept',
        'accept-encoding',
        'if-none-match',
        'range',
        'host',
        'cookie',
        'authorization',
        'expect',
        'x-forwarded-for',
        'content-length',
      ),
      fc.oneof(
        fc.constantFrom(
          'gzip;q=0',
          '*',
          'application/openmetrics-text;version=1.0.0',
          '0',
          '*/*;q=9',
          'bytes=0-1',
          'W/"x"',
          ',,,',
          ';;q=',
        ),
        fc.stringMatching(/^[ -~]{0,40}$/),
      ),
      { maxKeys: 3 },
    ),
  });

  it('of any method, path, query and headers are answered, and never with a 5xx', async () => {
    await holds(fc.array(asked, { minLength: 1, maxLength: 20 }), 60, async (batch) => {
      for (const one of await Promise.all(batch.map(ask))) if (one !== undefined) expect(one).to.be.below(500);
      await expectWell();
    });
  });

  it('that are no HTTP end with a refusal or without an answer', async () => {
    const LINES = [
      'GET / HTTP/1.1\r\n',
      'GET /metrics HTTP/1.1\r\n',
      'POST /-/reload HTTP/1.1\r\n',
      'GET / HTTP/9.9\r\n',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      'CONNECT a:1 HTTP/1.1\r\n',
      'Host: a\r\n',
      'Host: b\r\n',
      'Transfer-Encoding: chunked\r\n',
      'Content-Length: 5\r\n',
      'Content-Length: -1\r\n',
      'Connection: upgrade\r\nUpgrade: websocket\r\n',
      'Expect: 100-continue\r\n',
      'ffffffffff\r\n',
      '0\r\n\r\n',
      '\r\n',
      '\n',
      '\u0000',
      ' : x\r\n',
      'X'.repeat(20_000),
    ];
    const raw = fc.oneof(
      fc.array(fc.constantFrom(...LINES), { maxLength: 8 }).map((lines) => lines.join('')),
      fc.uint8Array({ maxLength: 500 }).map((array) => Buffer.from(array)),
    );
    await holds(fc.array(raw, { minLength: 1, maxLength: 10 }), 40, async (batch) => {
      for (const told of await Promise.all(batch.map(say))) expect(told).not.to.match(/^HTTP\/1\.1 5/m);
      await expectWell();
    });
  });
});

/** Lone surrogates cannot be encoded. */
function safeEncode(text: string): string {
  return encodeURIComponent(text.replaceAll(/\p{Cs}/gu, ''));
}
