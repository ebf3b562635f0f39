import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import type { ChildRequest, ChildResults, PlainSpec, Used } from './credentials-child.js';
import { createTestCa } from '../test-ca.js';
import type { KeyPair, TestCa } from '../test-ca.js';
import { portOf } from '../wire.js';

interface StsCall {
  readonly query: Record<string, string>;
  readonly form: Record<string, string>;
}

/** The real library in a process of its own, against an STS and a credentials URI on loopback. */
describe('credentials through the official library', function () {
  this.timeout(20_000);

  let ca: TestCa;
  let child: ChildProcess;
  let sts: Server;
  let uri: Server;
  /** What STS was asked, since the last configuration. */
  let calls: StsCall[];
  let uriCalls: number;
  let trouble: 'none' | 'down' | 'denied' | 'busy' | 'silent';
  let sessionMs: number;
  let now: number;
  let stsEndpoint: string;

  async function tell<Op extends keyof ChildResults>(request: ChildRequest & { op: Op }): Promise<ChildResults[Op]> {
    const answered = once(child, 'message');
    child.send(request);
    const [message]: { result: ChildResults[Op] }[] = await answered;
    return message!.result;
  }
  const use = (times = 1): Promise<readonly Used[]> => tell({ op: 'use', times });
  const state = (): Promise<ChildResults['state']> => tell({ op: 'state' });
  const logs = (): Promise<ChildResults['logs']> => tell({ op: 'logs' });
  /** The message of a use that must fail. */
  const problem = async (): Promise<string> => (await use())[0]!.error!.message;

  async function configure(spec: PlainSpec): Promise<void> {
    [calls, uriCalls, trouble, sessionMs] = [[], 0, 'none', 3_600_000];
    now = await tell({ op: 'configure', spec });
  }
  async function advance(ms: number): Promise<void> {
    now = await tell({ op: 'advance', ms });
  }

  function session(serial: number): object {
    return {
      AccessKeyId: `STS.planted${serial}`,
      AccessKeySecret: `plantedSecret${serial}`,
      SecurityToken: `plantedToken${serial}`,
      Expiration: `${new Date(now + sessionMs).toISOString().slice(0, 19)}Z`,
    };
  }

  async function answerSts(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const url = new URL(request.url ?? '', 'https://sts');
    calls.push({ query: Object.fromEntries(url.searchParams), form: Object.fromEntries(new URLSearchParams(body)) });
    if (trouble === 'down') request.socket.destroy();
    if (trouble === 'denied') {
      const refusal = { Code: 'NoPermission', Message: `You are not authorized. ${url.search}`, RequestId: 'R-1' };
      response.writeHead(403, { 'content-type': 'application/json' }).end(JSON.stringify(refusal));
    }
    if (trouble === 'busy') {
      const refusal = { Code: 'ServiceUnavailable', Message: 'Try again later.', RequestId: 'R-1' };
      response.writeHead(503, { 'content-type': 'application/json' }).end(JSON.stringify(refusal));
    }
    if (trouble === 'none') response.end(JSON.stringify({ RequestId: 'R-1', Credentials: session(calls.length) }));
  }

  before(async function () {
    ca = createTestCa(this);
    sts = createServer(ca.valid, (request, response) => void answerSts(request, response)).listen(0, '127.0.0.1');
    uri = createHttpServer((_request, response) => {
      uriCalls++;
      if (trouble === 'none') response.end(JSON.stringify(session(uriCalls)));
      // The library puts this whole answer into its message.
      else response.end(JSON.stringify({ AccessKeyId: 'plantedId', AccessKeySecret: 'plantedSecret' }));
    }).listen(0, '127.0.0.1');
    await Promise.all([once(sts, 'listening'), once(uri, 'listening')]);
    stsEndpoint = `localhost:${portOf(sts)}`;
    child = fork(new URL('credentials-child.js', import.meta.url), {
      env: {
        PATH: process.env['PATH'],
        HOME: ca.folder,
        NODE_EXTRA_CA_CERTS: ca.caFile,
        ALIBABA_CLOUD_ECS_METADATA_DISABLED: 'true',
      },
    });
    await once(child, 'message');
  });

  after(async () => {
    if (ca === undefined) return;
    const gone = once(child, 'exit');
    child.kill();
    await gone;
    for (const server of [sts, uri]) server.close();
    ca.remove();
  });

  const keys = { type: 'access_key', accessKeyId: 'plantedKeyId', accessKeySecret: 'plantedKeySecret' };
  const role = (): PlainSpec => ({
    type: 'ram_role_arn',
    roleArn: 'acs:ram::1234567890123456:role/backup-reader',
    externalId: 'plantedExternalId',
    durationMs: 900_000,
    source: keys,
    stsEndpoint,
  });

  it('is not loaded for keys that are given', async () => {
    await configure(keys);
    expect(await use()).to.deep.equal([{ accessKeyId: 'plantedKeyId', atHand: true }]);
    await configure({ type: 'sts', accessKeyId: 'STS.x', accessKeySecret: 'y', securityToken: 'z' });
    expect(await use()).to.deep.equal([{ accessKeyId: 'STS.x', atHand: true }]);
    expect(await tell({ op: 'loaded' })).to.equal(false);
  });

  it('assumes a role with its external id, once for fifty first uses', async () => {
    await configure(role());
    const used = await use(50);
    expect(new Set(used.map(({ accessKeyId }) => accessKeyId))).to.deep.equal(new Set(['STS.planted1']));
    expect(used[0]).to.deep.include({ secret: 'plantedSecret1', securityToken: 'plantedToken1' });
    expect(calls).to.have.lengthOf(1);
    expect(calls[0]!.query).to.include({ Action: 'AssumeRole', AccessKeyId: 'plantedKeyId' });
    expect(calls[0]!.form).to.include({
      RoleArn: 'acs:ram::1234567890123456:role/backup-reader',
      ExternalId: 'plantedExternalId',
      RoleSessionName: 'alicloud-rds-backup-exporter',
      DurationSeconds: '900',
    });
    expect(await tell({ op: 'loaded' })).to.equal(true);
  });

  it('keeps a session until it nears its end, and then renews it beside its use', async () => {
    await configure(role());
    await use();
    await advance(2_600_000);
    expect(await use(10)).to.deep.equal(
      Array.from({ length: 10 }, () => ({ accessKeyId: 'STS.planted1', atHand: true })),
    );
    expect(calls).to.have.lengthOf(1);
    await advance(200_000);
    expect((await use(10)).every(({ accessKeyId, atHand }) => accessKeyId === 'STS.planted1' && atHand)).to.equal(true);
    await until(async () => (await use())[0]!.accessKeyId === 'STS.planted2');
    expect(calls).to.have.lengthOf(2);
    expect(await state()).to.deep.equal({ type: 'ram_role_arn', healthy: true, expiresInMs: await remaining() });
  });

  /** What the state should say: sessions end on a whole second. */
  async function remaining(): Promise<number> {
    const { expiresInMs } = await state();
    expect(Number(expiresInMs)).to.be.within(sessionMs - 1_000, sessionMs);
    return Number(expiresInMs);
  }

  it('lives on sessions of 20 s without one failure', async () => {
    await configure(role());
    sessionMs = 20_000;
    for (let second = 0; second < 120; second += 3) {
      const [used] = await use();
      expect(used, `after ${second} s`).to.have.property('accessKeyId');
      await advance(3_000);
    }
    expect(calls.length).to.be.within(6, 12);
  });

  it('takes an STS that is out of order for an outage, though it says so with a code, and one that refuses for no outage', async () => {
    await configure(role());
    trouble = 'busy';
    expect((await use())[0]!.error).to.deep.include({ kind: 'credentials', code: 'CredentialsError' });
    trouble = 'denied';
    await advance(60_000);
    expect((await use())[0]!.error).to.deep.include({ kind: 'key_rejected', code: 'CredentialsRefused' });
  });

  it('recovers from an STS that was down at the start, asking it now and then only', async () => {
    await configure(role());
    trouble = 'down';
    const [first] = await use(50);
    expect(first!.error).to.deep.include({ kind: 'credentials', code: 'CredentialsError' });
    for (let count = 0; count < 20; count++) await use(50);
    expect(calls).to.have.lengthOf(1);
    expect(await state()).to.include({ healthy: false });
    trouble = 'none';
    await advance(1_000);
    expect((await use())[0]).to.include({ accessKeyId: 'STS.planted2' });
    expect(await state()).to.include({ healthy: true });
    expect((await logs()).map(({ level, msg, account }) => [level, msg, account])).to.deep.equal([
      ['warn', 'no credentials', 'production'],
      ['info', 'credentials recovered', 'production'],
    ]);
  });

  it('uses the old session while it lasts when STS fails', async () => {
    await configure(role());
    await use();
    trouble = 'down';
    await advance(3_000_000);
    expect((await use())[0]).to.include({ accessKeyId: 'STS.planted1' });
    await until(async () => (await state()).problem !== undefined);
    expect(await state()).to.include({ healthy: true });
    await advance(500_000);
    expect((await use())[0]).to.include({ accessKeyId: 'STS.planted1' });
    await advance(100_000);
    expect((await use())[0]).to.have.property('error');
    expect(await state()).to.include({ healthy: false });
  });

  it('gives up a silent STS after 15 s', async () => {
    await configure(role());
    trouble = 'silent';
    child.send({ op: 'use', times: 2 } satisfies ChildRequest);
    const answered = once(child, 'message');
    await until(() => Promise.resolve(calls.length === 1));
    child.send({ op: 'advance', ms: 15_000 } satisfies ChildRequest);
    const [message]: { result: readonly Used[] }[] = await answered;
    await once(child, 'message');
    expect(message!.result.map(({ error }) => error!.message)).to.deep.equal([
      'no credentials within 15 s',
      'no credentials within 15 s',
    ]);
  });

  it("tells what STS said and what to do, and none of the library's own text", async () => {
    await configure(role());
    trouble = 'denied';
    const { kind, code, message } = (await use())[0]!.error!;
    expect([kind, code]).to.deep.equal(['key_rejected', 'CredentialsRefused']);
    expect(message).to.equal(
      "ram_role_arn: NoPermission: You are not authorized. ?<secret>; check role_arn, external_id, the role's trust " +
        'policy, and that the source may call sts:AssumeRole',
    );
    expect(JSON.stringify([message, await state(), await logs()])).not.to.match(/planted/);
  });

  it('takes a role by OIDC with the token as it is in its file at that moment', async () => {
    const tokenFile = join(ca.folder, 'token');
    writeFileSync(tokenFile, 'plantedOidc1');
    await configure({
      type: 'oidc_role_arn',
      roleArn: 'acs:ram::1:role/r',
      oidcProviderArn: 'acs:ram::1:oidc-provider/ack',
      oidcTokenFile: tokenFile,
      stsEndpoint,
    });
    expect((await use())[0]).to.include({ accessKeyId: 'STS.planted1' });
    writeFileSync(tokenFile, 'plantedOidc2');
    await advance(3_600_000);
    expect((await use())[0]).to.include({ accessKeyId: 'STS.planted2' });
    expect(calls.map(({ query, form }) => [query['Action'], form['OIDCToken'], form['OIDCProviderArn']])).to.deep.equal(
      [
        ['AssumeRoleWithOIDC', 'plantedOidc1', 'acs:ram::1:oidc-provider/ack'],
        ['AssumeRoleWithOIDC', 'plantedOidc2', 'acs:ram::1:oidc-provider/ack'],
      ],
    );
  });

  it('reads a credentials URI, once for fifty first uses', async () => {
    await configure({ type: 'credentials_uri', uri: `http://127.0.0.1:${portOf(uri)}/keys?planted=1` });
    expect((await use(50))[49]).to.include({ accessKeyId: 'STS.planted1', securityToken: 'plantedToken1' });
    expect(uriCalls).to.equal(1);
  });

  it('shows nothing of what a credentials URI wrongly answers', async () => {
    await configure({ type: 'credentials_uri', uri: `http://127.0.0.1:${portOf(uri)}/keys?planted=1` });
    trouble = 'denied';
    const message = await problem();
    expect(message).to.equal(
      'credentials_uri: error retrieving credentials from credentialsURI; check that the uri answers with ' +
        'AccessKeyId, AccessKeySecret, SecurityToken and Expiration',
    );
  });

  it('asks for a role with the session of another source', async () => {
    await configure({ ...role(), source: { type: 'credentials_uri', uri: `http://127.0.0.1:${portOf(uri)}/` } });
    expect((await use())[0]).to.include({ accessKeyId: 'STS.planted1' });
    expect(calls[0]!.query).to.include({ AccessKeyId: 'STS.planted1', SecurityToken: 'plantedToken1' });
  });

  it('says what to set when the default chain finds nothing', async () => {
    await configure({ type: 'default' });
    const message = await problem();
    expect(message).to.match(/^the default chain: unable to get credentials/);
    expect(message).to.match(
      /; set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, or give the account credentials of its own$/,
    );
  });

  it('renews a session that the API calls expired, and the retry works', async () => {
    const api = createServer(ca.valid, (request, response) => {
      if (request.headers['x-acs-accesskey-id'] === 'STS.planted2') response.end('{"Items":{}}');
      else response.writeHead(400).end('{"Code":"InvalidSecurityToken.Expired","Message":"plantedToken1 is expired."}');
    }).listen(0, '127.0.0.1');
    await once(api, 'listening');
    await configure(role());
    const endpoint = `https://localhost:${portOf(api)}`;
    const first = await tell({ op: 'call', endpoint });
    expect(first.ok ? first : [first.error.kind, first.error.message]).to.deep.equal([
      'token_expired',
      '<secret> is expired.',
    ]);
    expect(await tell({ op: 'call', endpoint })).to.deep.equal({ ok: true, value: [] });
    expect(calls).to.have.lengthOf(2);
    api.close();
  });

  describe('and a call over TLS', () => {
    async function callTo(pair: KeyPair, host = 'localhost'): Promise<ChildResults['call']> {
      const server = createServer(pair, (_request, response) => response.end('{"Items":{}}'));
      server.listen(0, host === 'localhost' ? '127.0.0.1' : host);
      await once(server, 'listening');
      await configure(keys);
      const result = await tell({ op: 'call', endpoint: `https://${host}:${portOf(server)}` });
      server.close();
      return result;
    }
    const messageOf = (result: ChildResults['call']): string => (result.ok ? 'it worked' : result.error.message);

    it('works with a certificate of a known authority', async () => {
      expect(await callTo(ca.valid)).to.deep.equal({ ok: true, value: [] });
    });

    it('is refused with an expired one, a self-signed one, and one of another name', async () => {
      expect(messageOf(await callTo(ca.expired))).to.match(
        /^connection to localhost:\d+ failed: .*certificate has expired$/,
      );
      expect(messageOf(await callTo(ca.selfSigned))).to.match(
        /failed: DEPTH_ZERO_SELF_SIGNED_CERT: self-signed certificate/,
      );
      expect(messageOf(await callTo(ca.valid, '127.0.0.2'))).to.match(/failed: ERR_TLS_CERT_ALTNAME_INVALID: /);
    });
  });
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setImmediate(resolve));
}
