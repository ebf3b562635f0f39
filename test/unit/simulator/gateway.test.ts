import { expect } from 'chai';
import type { Simulator } from '../../../dist/simulator/server.js';
import { startSimulator } from '../../../dist/simulator/server.js';
import { FakeClock } from '../../helpers/fake-clock.js';
import type { Asked, Told } from './client.js';
import { ask, parsed } from './client.js';

const NOW = '2026-01-15T08:30:00Z';

describe('the gateway of the simulator', () => {
  let clock: FakeClock;
  let simulator: Simulator;

  beforeEach(async () => {
    clock = new FakeClock(Date.parse(NOW));
    const accounts = [{ name: 'main', accessKeyId: 'key', accessKeySecret: 'secret' }];
    simulator = await startSimulator({ clock, accounts, regions: ['cn-hangzhou'] });
    simulator.fleet.addInstance({ account: 'main', regionId: 'cn-hangzhou', instanceId: 'rm-1' });
  });
  afterEach(() => simulator.close());

  const call = (changed: Partial<Asked> = {}): Promise<Told> =>
    ask({
      url: simulator.url,
      action: 'DescribeBackupTasks',
      parameters: { DBInstanceId: 'rm-1' },
      date: NOW,
      ...changed,
    });

  it('lets in what is signed', async () => {
    const { status, headers, json } = await call();
    expect(status).to.equal(200);
    expect(headers.get('content-type')).to.equal('application/json;charset=utf-8');
    expect(json.Items).to.deep.equal({ BackupJob: [] });
    expect(json.RequestId).to.match(/^[0-9A-F]{8}-0000-5000-8000-000000000001$/);
  });

  it('answers an error in the shape of the real API', async () => {
    const { status, json } = await call({ accessKeySecret: 'wrong' });
    expect(status).to.equal(400);
    expect(Object.keys(json)).to.deep.equal(['RequestId', 'HostId', 'Code', 'Message', 'Recommend']);
    expect(json.Code).to.equal('SignatureDoesNotMatch');
    expect(json.HostId).to.equal(new URL(simulator.url).host);
    expect(json.Recommend).to.equal(
      `https://api.aliyun.com/troubleshoot?q=SignatureDoesNotMatch&product=Rds&requestId=${json.RequestId}`,
    );
    expect(simulator.stats.answers).to.deep.equal(new Map([['SignatureDoesNotMatch', 1]]));
    expect(simulator.stats.count()).to.equal(0);
  });

  const refusals: [string, Partial<Asked>, number, string][] = [
    ['an unknown key', { accessKeyId: 'other' }, 404, 'InvalidAccessKeyId.NotFound'],
    ['a date more than 15 minutes ago', { date: '2026-01-15T08:14:59Z' }, 400, 'InvalidTimeStamp.Expired'],
    ['a date more than 15 minutes ahead', { date: '2026-01-15T08:45:01Z' }, 400, 'InvalidTimeStamp.Expired'],
    ['a date with milliseconds', { date: '2026-01-15T08:30:00.000Z' }, 400, 'InvalidTimeStamp.Format'],
    ['a month that is none', { date: '2026-13-15T08:30:00Z' }, 400, 'InvalidTimeStamp.Format'],
    ['another version', { headers: { 'x-acs-version': '2014-05-26' } }, 400, 'NoSuchVersion'],
    ['the hash of another body', { headers: { 'x-acs-content-sha256': '00' } }, 400, 'SignatureDoesNotMatch'],
    ['headers signed out of order', { isUnsorted: true }, 400, 'SignatureDoesNotMatch'],
    ['an empty nonce', { headers: { 'x-acs-signature-nonce': '' } }, 400, 'MissingSignatureNonce'],
    [
      'a token for a key without one',
      { headers: { 'x-acs-security-token': 't' } },
      400,
      'InvalidSecurityToken.MismatchWithAccessKey',
    ],
    ['an unknown action', { action: 'DescribeEverything' }, 404, 'InvalidApi.NotFound'],
    ['another path', { url: '/v1' }, 404, 'InvalidApi.NotFound'],
  ];
  for (const [name, changed, status, code] of refusals) {
    it(`refuses ${name}`, async () => {
      const told = await call({ ...changed, ...(changed.url && { url: simulator.url + changed.url }) });
      expect([told.status, told.json.Code]).to.deep.equal([status, code]);
    });
  }

  it('refuses a signed header that is not there, whatever it is called', async () => {
    const signed = 'constructor;host;x-acs-date;x-acs-version';
    const authorization = `ACS3-HMAC-SHA256 Credential=key,SignedHeaders=${signed},Signature=${'ab'.repeat(32)}`;
    const headers = { authorization, 'x-acs-date': NOW, 'x-acs-version': '2014-08-15' };
    const answer = await fetch(simulator.url, { method: 'POST', headers });
    expect(parsed(await answer.text()).Code).to.equal('SignatureDoesNotMatch');
  });

  it('accepts a date 15 minutes off', async () => {
    for (const date of ['2026-01-15T08:15:00Z', '2026-01-15T08:45:00Z']) {
      expect((await call({ date })).status, date).to.equal(200);
    }
  });

  it('goes by the wall clock', async () => {
    clock.wallOffsetMs = 3_600_000;
    expect((await call()).json.Code).to.equal('InvalidTimeStamp.Expired');
    expect((await call({ date: '2026-01-15T09:30:00Z' })).status).to.equal(200);
  });

  it('refuses what is not signed at all, and a header that is left out of the signature', async () => {
    const bare = await fetch(`${simulator.url}/?DBInstanceId=rm-1`, { method: 'POST' });
    expect([bare.status, parsed(await bare.text()).Code]).to.deep.equal([400, 'IncompleteSignature']);
    const authorization = `ACS3-HMAC-SHA256 Credential=key,SignedHeaders=host,Signature=${'ab'.repeat(32)}`;
    const part = await fetch(simulator.url, { method: 'POST', headers: { authorization, 'x-acs-date': NOW } });
    expect(parsed(await part.text())).to.include({
      Code: 'IncompleteSignature',
      Message: 'The header x-acs-date is not signed.',
    });
  });

  it('refuses other methods and a query that is no UTF-8', async () => {
    expect(await codeOf(fetch(simulator.url, { method: 'PUT' }))).to.equal('UnsupportedHTTPMethod');
    expect(await codeOf(fetch(`${simulator.url}/?a=%ff`))).to.equal('InvalidApi.NotFound');
  });

  it('takes a nonce once for each key, also after a refusal of the operation', async () => {
    simulator.addKey({ account: 'main', accessKeyId: 'key2', accessKeySecret: 'secret' });
    const headers = { 'x-acs-signature-nonce': 'n1' };
    expect((await call({ headers, parameters: { DBInstanceId: 'rm-2' } })).status).to.equal(404);
    expect((await call({ headers })).json.Code).to.equal('SignatureNonceUsed');
    expect((await call({ headers, accessKeyId: 'key2' })).status).to.equal(200);
  });

  it('asks for the security token of temporary credentials, until they expire', async () => {
    const expiresAtMs = clock.now() + 20_000;
    simulator.addKey({
      account: 'main',
      accessKeyId: 'sts',
      accessKeySecret: 's',
      securityToken: 'CAIS+/=',
      expiresAtMs,
    });
    const temporary = { accessKeyId: 'sts', accessKeySecret: 's' };
    const right = { ...temporary, headers: { 'x-acs-security-token': 'CAIS+/=', 'x-acs-accesskey-id': 'sts' } };
    expect((await call(temporary)).json.Code).to.equal('MissingSecurityToken');
    expect((await call({ ...temporary, headers: { 'x-acs-security-token': 'other' } })).json.Code).to.equal(
      'InvalidSecurityToken.Malformed',
    );
    expect((await call(right)).status).to.equal(200);
    await clock.advance(20_000);
    expect((await call(right)).json.Code).to.equal('InvalidSecurityToken.Expired');
  });

  it('knows no key that was revoked, until it is given back', async () => {
    simulator.removeKey('key');
    expect((await call()).json.Code).to.equal('InvalidAccessKeyId.NotFound');
    simulator.addKey({ account: 'main', accessKeyId: 'key', accessKeySecret: 'secret' });
    expect((await call()).status).to.equal(200);
  });

  it('reads what clients leave unescaped on the wire as they signed it', async () => {
    const told = await call({ parameters: { DBInstanceId: "it's (a*b)!", Extra: '团队 a+b&c=d' } });
    expect([told.status, told.json.Code]).to.deep.equal([404, 'InvalidDBInstanceName.NotFound']);
  });
});

async function codeOf(response: Promise<Response>): Promise<string | undefined> {
  return parsed(await (await response).text()).Code;
}
