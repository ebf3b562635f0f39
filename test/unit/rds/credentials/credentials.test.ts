import type { CredentialsSpec } from '../../../../dist/domain/credentials.js';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { getEventListeners } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { createCredentialsProvider } from '../../../../dist/rds/credentials/credentials-provider.js';
import type { CredentialsProvider } from '../../../../dist/rds/credentials/credentials.js';
import type { SdkConfig, SdkCredential } from '../../../../dist/rds/credentials/sdk-credentials.js';
import type { ApiError } from '../../../../dist/domain/model.js';
import { Secret } from '../../../../dist/secret.js';
import { FakeClock, settle } from '../../../helpers/fake-clock.js';

const NEVER = new AbortController().signal;
const QUIET = { debug() {}, info() {}, warn() {}, error() {} };

function refusal(kind: ApiError['kind'], code: string): ApiError {
  return { kind, code, message: 'refused', requestId: undefined, retryAfterMs: undefined };
}
const EXPIRED = refusal('token_expired', 'InvalidSecurityToken.Expired');

describe('keys that are given', () => {
  let clock: FakeClock;
  let folder: string;

  beforeEach(() => {
    clock = new FakeClock();
    folder = mkdtempSync(join(tmpdir(), 'keys-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  let changes: number;

  function create(spec: CredentialsSpec, env: Record<string, string> = {}): CredentialsProvider {
    changes = 0;
    const onChanged = (): void => void changes++;
    return createCredentialsProvider(spec, { account: 'a', clock, log: QUIET, env, onChanged });
  }
  function inFile(text: string): Secret {
    writeFileSync(join(folder, 'secret'), text);
    return Secret.fromFile(join(folder, 'secret'));
  }

  it('are the same object until they change, so that a key is prepared once', async () => {
    const provider = create({
      type: 'access_key',
      accessKeyId: new Secret('id'),
      accessKeySecret: new Secret('secret'),
    });
    const first = provider.current();
    await clock.advance(60_000);
    expect(provider.current()).to.equal(first);
    expect(first).to.include({ accessKeyId: 'id', securityToken: undefined, providerName: 'static_ak' });
    expect(provider.state()).to.deep.equal({
      type: 'access_key',
      healthy: true,
      problem: undefined,
      expiresAt: undefined,
    });
  });

  for (const name of ['accessKeyId', 'accessKeySecret', 'securityToken'] as const) {
    it(`tell once when the file of ${name} holds another, at a use or when they are looked at again`, async () => {
      const keys = { accessKeyId: new Secret('id'), accessKeySecret: new Secret('s'), securityToken: new Secret('t') };
      const provider = create({ type: 'sts', ...keys, [name]: inFile('one') });
      provider.current();
      inFile('one');
      provider.lookAgain();
      expect(changes).to.equal(0);
      inFile('other');
      provider.current();
      expect(changes).to.equal(0);
      await clock.advance(1_000);
      provider.current();
      provider.current();
      expect(changes).to.equal(1);
      inFile('third');
      provider.lookAgain();
      provider.lookAgain();
      expect(changes).to.equal(2);
    });
  }

  it('follow their file within a second', async () => {
    const spec = { type: 'access_key', accessKeyId: new Secret('id'), accessKeySecret: inFile('one\n') } as const;
    const provider = create(spec);
    expect(provider.current()?.key.export().toString()).to.equal('one');
    writeFileSync(join(folder, 'secret'), 'another\n');
    await clock.advance(1_000);
    expect(provider.current()?.key.export().toString()).to.equal('another');
  });

  it('that ran out are worth a retry only if their file holds others by now', async () => {
    const provider = create({
      type: 'sts',
      accessKeyId: new Secret('STS.id'),
      accessKeySecret: new Secret('secret'),
      securityToken: inFile('old'),
    });
    const used = provider.current()!;
    expect(provider.review(EXPIRED, used)).to.deep.equal({ ...EXPIRED, kind: 'key_rejected' });
    writeFileSync(join(folder, 'secret'), 'renewed');
    expect(provider.review(EXPIRED, used).kind).to.equal('token_expired');
    expect(provider.current()?.securityToken).to.equal('renewed');
  });

  it('that the API refuses for other reasons stay refused', () => {
    const provider = create({
      type: 'access_key',
      accessKeyId: new Secret('id'),
      accessKeySecret: new Secret('secret'),
    });
    const used = provider.current()!;
    for (const error of [refusal('key_rejected', 'InvalidAccessKeyId.NotFound'), refusal('denied', 'Forbidden.RAM')]) {
      expect(provider.review(error, used)).to.deep.equal(error);
    }
  });

  it('with a space or a line break in them are told of, and nothing is sent', async () => {
    const provider = create({
      type: 'access_key',
      accessKeyId: new Secret('id\nx'),
      accessKeySecret: new Secret('planted'),
    });
    expect(provider.current()).to.equal(undefined);
    const result = await provider.fetch(NEVER);
    expect(result.ok).to.equal(false);
    expect(provider.state()).to.deep.include({
      healthy: false,
      problem:
        'the access key holds spaces, control characters or nothing: check access_key_id, access_key_secret and security_token',
    });
  });

  it('in the environment are the default chain', () => {
    const env = {
      ALIBABA_CLOUD_ACCESS_KEY_ID: 'id',
      ALIBABA_CLOUD_ACCESS_KEY_SECRET: 's',
      ALIBABA_CLOUD_SECURITY_TOKEN: 't',
    };
    const provider = create({ type: 'default' }, env);
    expect(provider.current()).to.include({ accessKeyId: 'id', securityToken: 't', providerName: 'default/env' });
    expect(provider.state()).to.include({ type: 'default', healthy: true });
  });
});

describe('credentials that are fetched', () => {
  let clock: FakeClock;
  let configs: (SdkConfig | undefined)[];
  let logged: string[];
  /** What the library does at each fetch, in turn; the last repeats. */
  let script: (() => Promise<Session>)[];
  let changes: number;

  interface Session {
    readonly id: string;
    readonly token?: string;
    readonly expiresInMs?: number;
  }

  beforeEach(() => {
    clock = new FakeClock();
    [configs, logged] = [[], []];
    script = [hourly];
  });

  const hourly = (): Promise<Session> =>
    Promise.resolve({ id: `id${configs.length}`, token: 't', expiresInMs: 3_600_000 });

  async function createSdkCredential(config: SdkConfig | undefined): Promise<SdkCredential> {
    configs.push(config);
    const { id, token = '', expiresInMs } = await (script.length > 1 ? script.shift()! : script[0]!)();
    const expiration =
      expiresInMs === undefined ? undefined : new Date(clock.toWall(clock.now()) + expiresInMs).toISOString();
    const credential = {
      credential: { provider: { lastUsedProvider: { session: { expiration } } } },
      getCredential: () =>
        Promise.resolve({ accessKeyId: id, accessKeySecret: 'plantedSecret', securityToken: token, providerName: 'x' }),
    };
    return credential;
  }

  function create(spec: CredentialsSpec = { type: 'ecs_ram_role', roleName: 'reader' }): CredentialsProvider {
    const log = {
      ...QUIET,
      warn: (msg: string) => logged.push(`warn ${msg}`),
      info: (msg: string) => logged.push(`info ${msg}`),
    };
    changes = 0;
    const onChanged = (): void => void changes++;
    return createCredentialsProvider(spec, { account: 'a', clock, log, env: {}, createSdkCredential, onChanged });
  }
  const idOf = async (provider: CredentialsProvider): Promise<string> => {
    const atHand = provider.current();
    if (atHand !== undefined) return atHand.accessKeyId;
    const fetched = await provider.fetch(NEVER);
    return fetched.ok ? fetched.value.accessKeyId : fetched.error.message;
  };
  const fail = (): Promise<never> => Promise.reject(new Error('connect ECONNREFUSED 127.0.0.1:443'));

  it('ask the ECS metadata for the role, through a seam that no test goes beyond', async () => {
    const provider = create();
    expect(await idOf(provider)).to.equal('id1');
    expect(configs).to.deep.equal([{ type: 'ecs_ram_role', roleName: 'reader' }]);
    expect(provider.state()).to.deep.equal({
      type: 'ecs_ram_role',
      healthy: true,
      problem: undefined,
      expiresAt: clock.now() + 3_600_000,
    });
  });

  it('end by the wall clock that STS speaks of, whatever the steady timeline shows', async () => {
    clock.wallOffsetMs = 7_200_000;
    const provider = create();
    await idOf(provider);
    expect(provider.state().expiresAt).to.equal(clock.now() + 3_600_000);
  });

  it('are not in use any more shortly before their end', async () => {
    script = [hourly, fail];
    const provider = create();
    await idOf(provider);
    await clock.advance(3_594_999);
    expect(provider.current()?.accessKeyId).to.equal('id1');
    await clock.advance(1);
    expect(provider.current()).to.equal(undefined);
  });

  it('that cannot be renewed are told of twice: when the renewal fails, and when the old ones end', async () => {
    script = [hourly, fail];
    const provider = create();
    await idOf(provider);
    for (let minute = 0; minute < 70; minute++) {
      await idOf(provider);
      await clock.advance(60_000);
    }
    expect(logged).to.deep.equal(['warn credentials not renewed, the old ones still work', 'warn no credentials']);
  });

  it('without an end are looked at again after five minutes, and kept if that fails', async () => {
    script = [() => Promise.resolve({ id: 'first' }), fail, () => Promise.resolve({ id: 'second' })];
    const provider = create({ type: 'default' });
    expect(await idOf(provider)).to.equal('first');
    await clock.advance(300_000);
    expect([await idOf(provider), await settle(), await idOf(provider)]).to.deep.equal(['first', undefined, 'first']);
    expect(logged).to.deep.equal(['warn credentials not renewed, the old ones still work']);
    expect(provider.state()).to.include({ healthy: true, expiresAt: undefined });
    await clock.advance(1_000);
    expect([await idOf(provider), await settle(), await idOf(provider)]).to.deep.equal(['first', undefined, 'second']);
    expect(logged).to.have.lengthOf(2);
  });

  it('are asked for ever more rarely while they cannot be had', async () => {
    script = [fail];
    const provider = create();
    const asked: number[] = [];
    const startedAt = clock.now();
    for (let second = 0; second <= 130; second++) {
      const before = configs.length;
      for (let poll = 0; poll < 50; poll++) await idOf(provider);
      if (configs.length > before) asked.push((clock.now() - startedAt) / 1_000);
      await clock.advance(1_000);
    }
    expect(asked).to.deep.equal([0, 1, 3, 7, 15, 31, 61, 91, 121]);
    expect(configs).to.have.lengthOf(asked.length);
    expect(logged).to.deep.equal(['warn no credentials']);
    expect(await idOf(provider)).to.equal(
      'ecs_ram_role: connect ECONNREFUSED 127.0.0.1:443; attach a RAM role to this ECS instance, or check role_name',
    );
  });

  it('that seem to have ended when they come are used for a moment, not fetched for every call', async () => {
    script = [() => Promise.resolve({ id: 'late', token: 't', expiresInMs: -60_000 })];
    const provider = create();
    for (let poll = 0; poll < 50; poll++) expect(await idOf(provider)).to.equal('late');
    expect(configs).to.have.lengthOf(1);
  });

  it('that the API calls expired are thrown away once for all who used them', async () => {
    const provider = create();
    await idOf(provider);
    const used = provider.current()!;
    expect([provider.review(EXPIRED, used).kind, provider.review(EXPIRED, used).kind]).to.deep.equal([
      'token_expired',
      'token_expired',
    ]);
    expect([await idOf(provider), await idOf(provider)]).to.deep.equal(['id2', 'id2']);
    expect(configs).to.have.lengthOf(2);
  });

  it('that are refused again right after that are not fetched in a storm', async () => {
    const provider = create();
    await idOf(provider);
    provider.review(EXPIRED, provider.current()!);
    await idOf(provider);
    expect(provider.review(EXPIRED, provider.current()!).kind).to.equal('key_rejected');
    await clock.advance(60_000);
    expect(provider.review(EXPIRED, provider.current()!).kind).to.equal('token_expired');
  });

  it('with a token whose key is not found are taken for expired; without a token they are not', async () => {
    const notFound = refusal('key_rejected', 'InvalidAccessKeyId.NotFound');
    const provider = create();
    await idOf(provider);
    expect(provider.review(notFound, provider.current()!).kind).to.equal('token_expired');
    script = [() => Promise.resolve({ id: 'plain' })];
    const plain = create({ type: 'default' });
    await idOf(plain);
    expect(plain.review(notFound, plain.current()!)).to.equal(notFound);
  });

  const ROLE = {
    type: 'ram_role_arn',
    roleArn: 'acs:ram::1:role/r',
    roleSessionName: undefined,
    externalId: undefined,
    durationMs: undefined,
    stsEndpoint: undefined,
  } as const;
  const WITH_SECRETS: Record<string, (secret: Secret) => CredentialsSpec> = {
    uri: (uri) => ({ type: 'credentials_uri', uri }),
    external_id: (externalId) => ({ ...ROLE, externalId, source: { type: 'ecs_ram_role', roleName: undefined } }),
    "the source's key": (accessKeySecret) => ({
      ...ROLE,
      source: { type: 'access_key', accessKeyId: new Secret('id'), accessKeySecret },
    }),
    "the source's source's key": (accessKeySecret) => ({
      ...ROLE,
      source: { ...ROLE, source: { type: 'access_key', accessKeyId: new Secret('id'), accessKeySecret } },
    }),
  };
  for (const [name, specOf] of Object.entries(WITH_SECRETS)) {
    it(`are had anew after a reload that finds another ${name}, and tell once they are there`, async () => {
      const held = { text: 'http://127.0.0.1/one' };
      const provider = create(specOf(new Secret(() => held.text)));
      await idOf(provider);
      const before = provider.current();
      provider.lookAgain();
      await settle();
      expect([provider.current(), changes]).to.deep.equal([before, 0]);
      held.text = 'http://127.0.0.1/other';
      provider.lookAgain();
      expect([provider.current(), changes]).to.deep.equal([before, 0]);
      await settle();
      expect(provider.current()).not.to.equal(before);
      expect(changes).to.equal(1);
      expect(JSON.stringify(configs.slice(-2))).to.contain('http://127.0.0.1/other');
    });

    it(`tell of another ${name} once a renewal found it, though the first try failed`, async () => {
      const held = { text: 'http://127.0.0.1/one' };
      const provider = create(specOf(new Secret(() => held.text)));
      await idOf(provider);
      held.text = 'http://127.0.0.1/other';
      script = [fail, hourly];
      await clock.advance(3_600_000);
      await idOf(provider);
      expect(changes).to.equal(0);
      await clock.advance(1_000);
      await idOf(provider);
      expect(changes).to.equal(1);
    });
  }

  it('that could not be had are asked for at once by a reload, which tells when they are there', async () => {
    script = [fail];
    const provider = create();
    await idOf(provider);
    provider.lookAgain();
    await settle();
    expect([configs.length, changes]).to.deep.equal([2, 0]);
    script = [hourly];
    provider.lookAgain();
    await settle();
    expect([configs.length, changes]).to.deep.equal([3, 1]);
  });

  it('without an end tell when the key was exchanged, and are looked at by a reload', async () => {
    script = [() => Promise.resolve({ id: 'first' })];
    const provider = create({ type: 'default' });
    await idOf(provider);
    provider.lookAgain();
    await settle();
    expect([configs.length, changes]).to.deep.equal([2, 0]);
    script = [() => Promise.resolve({ id: 'second' })];
    await clock.advance(300_000);
    await idOf(provider);
    await settle();
    expect([await idOf(provider), changes]).to.deep.equal(['second', 1]);
  });

  it('that are renewed in time tell of nothing', async () => {
    const provider = create();
    for (let minute = 0; minute < 180; minute++) {
      await idOf(provider);
      await clock.advance(60_000);
    }
    expect(configs.length).to.be.above(3);
    expect(changes).to.equal(0);
  });

  it('are given up by a signal, leaving no listener, while others wait on', async () => {
    let arrive = (_session: Session): void => undefined;
    script = [
      () =>
        new Promise((resolve) => {
          arrive = resolve;
        }),
    ];
    const provider = create();
    const controller = new AbortController();
    const doomed = provider.fetch(controller.signal);
    const kept = provider.fetch(NEVER);
    controller.abort();
    expect(await doomed).to.deep.include({ ok: false });
    expect(getEventListeners(controller.signal, 'abort')).to.deep.equal([]);
    arrive({ id: 'there' });
    expect((await kept).ok).to.equal(true);
    expect(configs).to.have.lengthOf(1);
    expect(clock.pendingTimers).to.equal(0);
  });

  it('for a role are asked for with the session name of the configuration and the keys of the source', async () => {
    const provider = create({
      type: 'ram_role_arn',
      roleArn: 'acs:ram::1:role/r',
      roleSessionName: 'mine',
      externalId: new Secret('external'),
      durationMs: 1_800_000,
      source: {
        type: 'sts',
        accessKeyId: new Secret('a'),
        accessKeySecret: new Secret('b'),
        securityToken: new Secret('c'),
      },
      stsEndpoint: 'sts.example',
    });
    await idOf(provider);
    expect(configs).to.deep.equal([
      {
        type: 'ram_role_arn',
        roleArn: 'acs:ram::1:role/r',
        roleSessionName: 'mine',
        roleSessionExpiration: 1_800,
        stsEndpoint: 'sts.example',
        externalId: 'external',
        accessKeyId: 'a',
        accessKeySecret: 'b',
        securityToken: 'c',
      },
    ]);
  });

  it('for a role fail with the problem of the source', async () => {
    script = [fail];
    const provider = create({
      type: 'ram_role_arn',
      roleArn: 'acs:ram::1:role/r',
      roleSessionName: undefined,
      externalId: undefined,
      durationMs: undefined,
      source: { type: 'ecs_ram_role', roleName: undefined },
      stsEndpoint: undefined,
    });
    expect(await idOf(provider)).to.match(/^source: ecs_ram_role: connect ECONNREFUSED/);
  });

  it('with a line break in them are not used', async () => {
    script = [() => Promise.resolve({ id: 'a\nb' })];
    expect(await idOf(create())).to.match(/^ecs_ram_role: the access key holds spaces or control characters; /);
  });
});
