import { expect } from 'chai';
import type { InstanceState } from '../../../dist/domain/instance-state.js';
import type { StatusSnapshot } from '../../../dist/status/snapshot.js';
import type { StatusBody } from '../../../dist/status/status-body.js';
import { MINUTE, NOW, ask as askNow, instance, serveParts, snapshot, state, task, tracked } from '../http/helpers.js';
import { FakeClock } from '../../helpers/fake-clock.js';
import { expose } from '../metrics/fleet.js';
import type { TestServer } from '../http/helpers.js';

/** A fleet with one instance of each state. */
function fleet(): InstanceState[] {
  const made = (id: string, over: Partial<InstanceState>, engine = 'MySQL'): InstanceState =>
    state({ instance: instance({ instanceId: `rm-${id}`, name: id, engine }), ...over });
  const failure = {
    outcome: 'Failed',
    at: NOW - 5 * MINUTE,
    durationMs: MINUTE,
    backupJobId: '7',
    backupId: undefined,
  } as const;
  return [
    made('idle', {
      instance: instance({ instanceId: 'rm-idle', name: 'idle', labels: { tag_env: 'prod', owner: '数据平台 a=b' } }),
    }),
    made('running', { tasks: [tracked()] }, 'PostgreSQL'),
    made('queued', { tasks: [tracked({ task: task({ backupStatus: 'NoStart', processPercent: 0 }) })] }),
    made('stuck', { tasks: [tracked({ lastProgressAt: NOW - 31 * MINUTE })] }),
    made('unsupported', { unsupported: 'Serverless instances have no backup tasks', lastGoodPollAt: undefined }),
    made('unknown', { lastGoodPollAt: undefined, lastPoll: undefined }),
    made('failed', {
      outcomes: { Automated: { counts: { Finished: 0, Failed: 1, Unknown: 0 }, last: { Failed: failure } } },
    }),
  ];
}

const clock = new FakeClock();

/** Later than what an answer before it is shared. */
const ask: typeof askNow = async (...asked) => {
  await clock.advance(1_000);
  return askNow(...asked);
};

async function statusOf(server: TestServer, query = ''): Promise<StatusBody> {
  const { status, body } = await ask(server, `/api/v1/status${query}`);
  expect(status).to.equal(200);
  return JSON.parse(body);
}

describe('an instance that cannot be rendered', () => {
  const sick: [string, Partial<InstanceState>][] = [
    ['as JSON', { firstSeenAt: NaN }],
    ['as a row', { instance: Object.assign(instance(), { engineVersion: () => '8.0' }) }],
    ['as a detail', { instance: Object.assign(instance(), { labels: { team: () => 'billing' } }) }],
  ];
  for (const [name, over] of sick) {
    it(`${name} takes nothing with it, and is told of`, async () => {
      const bugs: unknown[] = [];
      const states = [...fleet(), state(over)];
      const onBug = (error: unknown): void => void bugs.push(error);
      const server = await serveParts({ snapshot: () => snapshot({ states }), onBug });
      const list = (await ask(server, '/')).body;
      const detail = await ask(server, '/?open=production/cn-hangzhou/rm-bp1example01');
      const { counts, instances } = await statusOf(server);
      await server.close();
      expect(bugs.length).to.be.greaterThan(0);
      expect(counts).to.include({ idle: 2, stuck: 1 });
      expect(instances.map(({ name: shown }) => shown)).to.have.members(states.map((one) => one.instance.name));
      const problem = 'The exporter failed to render this instance; its log has the reason.';
      expect(instances.filter((one) => one.problem === problem)).to.have.length(name === 'as JSON' ? 1 : 0);
      expect(list.match(/<tr\b[^>]*data-key="production/g)).to.have.length(8);
      expect(list.includes(problem)).to.equal(name !== 'as a detail');
      expect([detail.status, detail.body.includes(`<p class="notice bad">${problem}</p>`)]).to.deep.equal([200, true]);
    });
  }
});

describe('the status API', () => {
  let server: TestServer;
  let current: StatusSnapshot;
  before(async () => {
    server = await serveParts({ snapshot: () => current, clock });
  });
  beforeEach(() => {
    current = snapshot({ states: fleet() });
  });
  after(() => server.close());

  const namesOf = (answer: StatusBody): string[] => answer.instances.map(({ name }) => name);

  it('puts first what needs a person', async () => {
    const answer = await statusOf(server);
    expect(namesOf(answer)).to.deep.equal(['stuck', 'failed', 'unknown', 'running', 'queued', 'idle', 'unsupported']);
    expect(answer.counts).to.deep.equal({
      stuck: 1,
      failed: 1,
      unknown: 1,
      running: 1,
      queued: 1,
      idle: 1,
      unsupported: 1,
    });
    expect([answer.total, answer.limit, answer.offset]).to.deep.equal([7, 100, 0]);
  });

  it('tells everything about an instance', async () => {
    const seen = {
      Finished: {
        outcome: 'Finished',
        at: NOW - 90 * MINUTE,
        durationMs: 61_500,
        backupJobId: '88120001',
        backupId: '1904417702',
      },
    } as const;
    current = snapshot({
      states: [
        state({
          instance: instance({ labels: { team: 'billing' } }),
          lastPoll: {
            at: NOW,
            error: {
              kind: 'denied',
              code: 'Forbidden.RAM',
              message: 'not allowed',
              requestId: 'REQ-1',
              retryAfterMs: undefined,
            },
          },
          lastGoodPollAt: NOW - 90_400,
          tasks: [
            tracked({
              task: task({
                processPercent: 125,
                backupStatus: 'Other',
                unexpected: [{ field: 'BackupStatus', value: 'Dancing' }],
              }),
            }),
          ],
          outcomes: { Automated: { counts: { Finished: 1, Failed: 0, Unknown: 0 }, last: seen } },
        }),
      ],
    });
    expect((await statusOf(server)).instances).to.deep.equal([
      {
        account: 'production',
        region_id: 'cn-hangzhou',
        instance_id: 'rm-bp1example01',
        name: 'billing',
        engine: 'MySQL',
        engine_version: '8.0',
        labels: { team: 'billing' },
        state: 'running',
        problem: null,
        unsupported: null,
        stuck_after_seconds: 1_800,
        first_seen: '2026-01-15T07:30:00.000Z',
        last_poll: '2026-01-15T08:30:00.000Z',
        last_good_poll: '2026-01-15T08:28:29.600Z',
        data_age_seconds: 90,
        next_poll: '2026-01-15T08:31:00.000Z',
        last_error: {
          code: 'Forbidden.RAM',
          message: 'not allowed',
          request_id: 'REQ-1',
          at: '2026-01-15T08:30:00.000Z',
        },
        tasks: [
          {
            backup_job_id: '88120417',
            backup_id: null,
            task_action: 'NormalBackupTask',
            mode: 'Automated',
            backup_status: 'Other',
            backup_progress_status: 'Uploading',
            process: 125,
            status: 'Other',
            phase: 'running',
            progress_ratio: 1,
            first_seen: '2026-01-15T08:20:00.000Z',
            last_progress: '2026-01-15T08:29:00.000Z',
            running_since: '2026-01-15T08:20:00.000Z',
            stuck: false,
            estimated_end: null,
            unsettled_answers: null,
            unexpected: [{ field: 'BackupStatus', value: 'Dancing' }],
          },
        ],
        outcomes: {
          Automated: {
            counts: { Finished: 1, Failed: 0, Unknown: 0 },
            last: {
              Finished: {
                at: '2026-01-15T07:00:00.000Z',
                duration_seconds: 61.5,
                backup_job_id: '88120001',
                backup_id: '1904417702',
              },
            },
          },
        },
      },
    ]);
  });

  it('tells of an end that is not counted yet everywhere', async () => {
    const seen = { Finished: 2, Failed: 0, Unknown: 0 };
    const before = { outcome: 'Finished', at: NOW - 90 * MINUTE, durationMs: MINUTE, backupJobId: '1' } as const;
    const failure = { outcome: 'Failed', at: NOW, durationMs: MINUTE, backupJobId: '2', backupId: undefined } as const;
    current = snapshot({
      states: [
        state({
          tasks: [tracked({ task: task({ backupJobId: '2', backupStatus: 'Failed' }), pendingCompletion: failure })],
          outcomes: { Automated: { counts: seen, last: { Finished: { ...before, backupId: undefined } } } },
        }),
      ],
    });
    const { counts, instances } = await statusOf(server);
    const [one] = instances;
    expect([counts.failed, one?.state]).to.deep.equal([1, 'failed']);
    expect(one?.outcomes.Automated?.counts).to.deep.equal({ Finished: 2, Failed: 1, Unknown: 0 });
    expect(one?.outcomes.Automated?.last.Failed).to.deep.equal({
      at: '2026-01-15T08:30:00.000Z',
      duration_seconds: 60,
      backup_job_id: '2',
      backup_id: null,
    });
    expect(one?.outcomes.Automated?.last.Finished?.backup_job_id).to.equal('1');
    const page = (await ask(server, '/')).body;
    expect(page).to.match(/class="c-outcome"><span class="outcome failed">/);
  });

  it('shows first the task that the metrics show, and the longest without progress first of the stuck', async () => {
    const running = (id: string, minutes: number, processPercent: number) =>
      tracked({ task: task({ backupJobId: id, processPercent }), lastProgressAt: NOW - minutes * MINUTE });
    const one = (name: string, ...tasks: ReturnType<typeof tracked>[]) =>
      state({ instance: instance({ instanceId: `rm-${name}`, name }), tasks });
    const two = one('two', running('9', 50, 10), running('10', 1, 90));
    current = snapshot({ states: [one('other', running('8', 40, 20)), two] });
    const answer = await statusOf(server);
    expect(namesOf(answer)).to.deep.equal(['two', 'other']);
    expect(answer.instances[0]?.tasks.map(({ backup_job_id }) => backup_job_id)).to.deep.equal(['10', '9']);
    expect((await ask(server, '/')).body).to.match(/data-key="production\/cn-hangzhou\/rm-two"[^]*?90 %[^]*?<\/tr>/);
    expect(namesOf(await statusOf(server, '?sort=progress'))).to.deep.equal(['other', 'two']);
    expect(await expose({ states: [two] })).to.match(/task_progress_ratio\{[^}]*instance_id="rm-two"[^}]*\} 0\.9\n/);
  });

  it('tells of the exporter, its accounts, places, budget and what is left out', async () => {
    current = snapshot({
      accounts: [
        {
          account: 'production',
          credentialType: 'sts',
          problem: { code: 'InvalidAccessKeyId.NotFound', message: 'key unknown', at: NOW },
        },
      ],
      skipped: [{ account: 'production', regionId: 'cn-hangzhou', instanceId: 'rm-ro1', name: '', reason: 'Readonly' }],
    });
    const answer = await statusOf(server);
    expect(answer.version).to.equal('0.1.0');
    expect(answer.now).to.equal('2026-01-15T08:30:00.000Z');
    expect(answer.exporter).to.deep.equal({
      revision: 'abc1234',
      node_version: 'v20.20.0',
      started: '2026-01-15T07:30:00.000Z',
      ready: true,
      reason: '',
      shard: { index: 0, count: 1 },
      config_reload: { successful: true, last_success: '2026-01-15T07:30:00.000Z' },
      state_saved: null,
    });
    expect(answer.accounts).to.deep.equal([
      {
        account: 'production',
        credential_type: 'sts',
        problem: { code: 'InvalidAccessKeyId.NotFound', message: 'key unknown', at: '2026-01-15T08:30:00.000Z' },
      },
    ]);
    expect(answer.regions).to.deep.equal([
      {
        account: 'production',
        region_id: 'cn-hangzhou',
        targets: 1,
        targets_never_polled: 0,
        targets_unsupported: 0,
        stale_after_seconds: 900,
        poll_lag_seconds: 0,
        discovery: { success: true, last_success: '2026-01-15T08:29:00.000Z', problem: null },
        api: [
          {
            action: 'DescribeBackupTasks',
            used_requests_per_second: 0.5,
            requests_per_second: 5,
            configured_requests_per_second: 5,
            cooldown: null,
          },
        ],
      },
    ]);
    expect(answer.skipped).to.deep.equal({
      total: 1,
      instances: [
        { account: 'production', region_id: 'cn-hangzhou', instance_id: 'rm-ro1', name: '', reason: 'Readonly' },
      ],
    });
  });

  it('bounds what it lists of the instances left out', async () => {
    const left = { account: 'a', regionId: 'r', instanceId: 'rm-1', name: '', reason: 'excluded' };
    current = snapshot({ skipped: Array.from({ length: 10_000 }, () => left) });
    const { skipped: left_out } = await statusOf(server);
    expect([left_out.total, left_out.instances.length]).to.deep.equal([10_000, 100]);
  });

  const narrowing: [string, string[]][] = [
    ['?state=stuck', ['stuck']],
    ['?state=stuck&state=failed', ['stuck', 'failed']],
    ['?engine=PostgreSQL', ['running']],
    ['?account=nobody', []],
    ['?region_id=cn-hangzhou&state=idle', ['idle']],
    ['?q=RM-RUNN', ['running']],
    ['?q=billing+rm-idle', []],
    ['?q=production%20%20idle', ['idle']],
    ['?q=tag_env%3Dprod', ['idle']],
    ['?q=TAG_ENV=Prod+owner=%E6%95%B0%E6%8D%AE', ['idle']],
    ['?q=a=b', ['idle']],
    ['?q=owner=prod', []],
    ['?q=88120417&state=stuck', ['stuck']],
    ['?limit=2&offset=1', ['failed', 'unknown']],
    ['?offset=100', []],
    ['?sort=name&limit=3', ['failed', 'idle', 'queued']],
    ['?sort=-name&limit=2', ['unsupported', 'unknown']],
    ['?sort=-engine&limit=1', ['running']],
    ['?sort=progress&limit=2', ['queued', 'running']],
    ['?sort=-progress&limit=1', ['running']],
    ['?sort=last_progress&limit=1', ['stuck']],
    ['?sort=last_outcome&limit=1', ['failed']],
    ['?sort=-attention&limit=1', ['unsupported']],
    [
      '?q=&state=&account=&sort=&limit=&offset=',
      ['stuck', 'failed', 'unknown', 'running', 'queued', 'idle', 'unsupported'],
    ],
  ];
  for (const [query, names] of narrowing) {
    it(`is narrowed by ${query}`, async () => {
      expect(namesOf(await statusOf(server, query))).to.deep.equal(names);
    });
  }

  it('counts by state what matches everything but the state', async () => {
    const { counts, total } = await statusOf(server, '?engine=MySQL&state=stuck');
    expect(counts).to.deep.equal({ stuck: 1, failed: 1, unknown: 1, running: 0, queued: 1, idle: 1, unsupported: 1 });
    expect(total).to.equal(1);
  });

  it('takes a sort without a value as the last, whichever way round', async () => {
    for (const sort of ['progress', '-progress']) {
      const names = namesOf(await statusOf(server, `?sort=${sort}`));
      expect(names.slice(3)).to.deep.equal(['failed', 'idle', 'unknown', 'unsupported']);
    }
  });

  const bad: [string, string][] = [
    ['?limit=0', 'limit "0" must be a whole number from 1 to 1000'],
    ['?limit=1001', 'limit "1001" must be a whole number from 1 to 1000'],
    ['?limit=ten', 'limit "ten" must be a whole number from 1 to 1000'],
    ['?offset=-1', 'offset "-1" must be a whole number from 0 to 10000000'],
    ['?offset=1e3', 'offset "1e3" must be a whole number from 0 to 10000000'],
    [
      '?state=Stuck',
      'state "Stuck" is not known: it must be one of stuck, failed, unknown, running, queued, idle, unsupported',
    ],
    [
      '?sort=size',
      'sort "size" is not known: it must be one of attention, name, instance_id, engine, account, region_id, progress, last_progress, last_outcome, last_good_poll, next_poll',
    ],
    ['?limit=1&limit=2', 'limit may be given once only'],
    [
      '?region=cn-hangzhou',
      'unknown parameter "region": known are q, state, account, region_id, engine, sort, limit, offset',
    ],
    [`?q=${'a'.repeat(201)}`, 'q must be at most 200 characters long'],
    [`?${'engine=a&'.repeat(51)}`, 'engine may be given at most 50 times'],
    [`?sort=${'%00'.repeat(60)}`, `sort ${JSON.stringify(`${'\u0000'.repeat(40)}…`)} is not known: it must be one of`],
  ];
  for (const [query, error] of bad) {
    it(`refuses ${query.slice(0, 30)}`, async () => {
      const { status, headers, body } = await ask(server, `/api/v1/status${query}`);
      expect(status).to.equal(400);
      expect(headers['content-type']).to.equal('application/json; charset=utf-8');
      const { errors } = JSON.parse(body);
      expect(errors).to.have.length(1);
      expect(errors[0].slice(0, error.length)).to.equal(error);
    });
  }

  it('tells every bad value at once', async () => {
    const { body } = await ask(server, '/api/v1/status?limit=x&offset=y&state=z');
    expect(JSON.parse(body).errors).to.have.length(3);
  });

  it('answers 304 until something other than the clock has moved', async () => {
    const first = await ask(server, '/api/v1/status');
    const tag = first.headers.etag ?? '';
    expect(tag).to.match(/^W\/"/);
    current = { ...current, now: NOW + 5_000 };
    const second = await ask(server, '/api/v1/status', { headers: { 'if-none-match': tag } });
    expect([second.status, second.body]).to.deep.equal([304, '']);
    const [one, ...others] = current.states;
    current = {
      ...current,
      version: current.version + 1,
      states: [{ ...one!, lastGoodPollAt: NOW + 5_000 }, ...others],
    };
    const third = await ask(server, '/api/v1/status', { headers: { 'if-none-match': tag } });
    expect(third.status).to.equal(200);
  });

  it('sees data go stale by the clock alone, and come back', async () => {
    current = { ...current, now: NOW + 15 * MINUTE };
    expect((await statusOf(server)).counts).to.include({ unknown: 6, unsupported: 1 });
    current = { ...current, version: current.version + 1, now: NOW + 15 * MINUTE - 1 };
    expect((await statusOf(server)).counts).to.include({ unknown: 1, idle: 1 });
  });

  it('follows instances that come, go and are renamed', async () => {
    await statusOf(server, '?sort=name');
    const [first, second] = current.states;
    const added = state({ instance: instance({ instanceId: 'rm-new', name: 'a new one' }) });
    current = {
      ...current,
      version: current.version + 1,
      states: [second!, added, { ...first!, instance: { ...first!.instance, name: 'zz' } }],
    };
    expect(namesOf(await statusOf(server, '?sort=name'))).to.deep.equal(['a new one', 'running', 'zz']);
  });

  it('is compressed for who accepts it', async () => {
    const { headers } = await ask(server, '/api/v1/status', { headers: { 'accept-encoding': 'gzip' } });
    expect(headers['content-encoding']).to.equal('gzip');
    expect(headers.vary).to.equal('Accept-Encoding');
    const plain = await ask(server, '/api/v1/status', { headers: { 'accept-encoding': 'gzip;q=0' } });
    expect(plain.headers['content-encoding']).to.equal(undefined);
    expect(plain.headers.etag).to.equal(headers.etag);
  });
});
