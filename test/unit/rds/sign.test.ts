import { inspect } from 'node:util';
import { expect } from 'chai';
import * as fc from 'fast-check';
import {
  authorization,
  canonicalQuery,
  createCredentials,
  createNonces,
  signedHeaders,
  createSigningDates,
  signingDate,
} from '../../../dist/rds/sign.js';
import type { PlainCredentials, SigningRequest } from '../../../dist/rds/sign.js';

const RDS: Omit<SigningRequest, 'action' | 'query'> = {
  host: 'rds.aliyuncs.com',
  version: '2014-08-15',
  date: '2026-01-15T08:30:00Z',
  nonce: '3156853299f313e23d1673dc12e1703d',
};
const KEY: PlainCredentials = { accessKeyId: 'testAccessKeyId', accessKeySecret: 'testAccessKeySecret' };

function sign(request: SigningRequest, credentials: PlainCredentials): string {
  return authorization(request, createCredentials(credentials));
}

describe('the V3 signature', () => {
  it('matches the vector of a plain call', () => {
    const query = canonicalQuery({ DBInstanceId: 'rm-uf6wjk5example' });
    expect(sign({ ...RDS, action: 'DescribeBackupTasks', query }, KEY)).to.equal(
      'ACS3-HMAC-SHA256 Credential=testAccessKeyId,' +
        'SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,' +
        'Signature=3c0002a0531c01e003f972586e905b5fe8f8807bb3c14711fa1bb37197a73d2b',
    );
  });

  it('matches the vector with a security token and every character that needs care', () => {
    const query = canonicalQuery({
      Tags: '{"env":"prod (a*b)","团队":"db~1"}',
      SearchKey: "it's!",
      RegionId: 'ap-southeast-5',
      MaxResults: '100',
      NextToken: undefined,
    });
    expect(query).to.equal(
      'MaxResults=100&RegionId=ap-southeast-5&SearchKey=it%27s%21&Tags=' +
        '%7B%22env%22%3A%22prod%20%28a%2Ab%29%22%2C%22%E5%9B%A2%E9%98%9F%22%3A%22db~1%22%7D',
    );
    const request = { ...RDS, host: 'rds.ap-southeast-5.aliyuncs.com', action: 'DescribeDBInstances', query };
    const credentials = {
      accessKeyId: 'STS.testAccessKeyId',
      accessKeySecret: 'testStsSecret',
      securityToken: 'CAIS+test/Token==',
      providerName: 'static_sts',
    };
    expect(sign(request, credentials)).to.equal(
      'ACS3-HMAC-SHA256 Credential=STS.testAccessKeyId,SignedHeaders=host;x-acs-accesskey-id;x-acs-action;' +
        'x-acs-content-sha256;x-acs-credentials-provider;x-acs-date;x-acs-security-token;x-acs-signature-nonce;' +
        'x-acs-version,Signature=b1cfcc3b64ed5d9ead1b77717d8f89089ded1805635983eabcb02c2bb0fca58d',
    );
    expect(signedHeaders(request, createCredentials(credentials))).to.include.members([
      'x-acs-accesskey-id',
      'STS.testAccessKeyId',
      'x-acs-security-token',
      'CAIS+test/Token==',
      'x-acs-credentials-provider',
      'static_sts',
    ]);
  });

  it('matches the vector that names the source of a static key', () => {
    const query = canonicalQuery({ DBInstanceId: 'rm-uf6wjk5example', BackupJobStatus: 'Progressing' });
    const authorized = sign({ ...RDS, action: 'DescribeBackupTasks', query }, { ...KEY, providerName: 'static_ak' });
    expect(authorized).to.match(/,Signature=69bab1ae41fc6568e56678e350fcf2cbca62bd0a18311fe91296d2e864634eac$/);
  });

  it("matches the documentation's own example", () => {
    const query = canonicalQuery({
      ImageId: 'win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd',
      RegionId: 'cn-shanghai',
    });
    const authorized = sign(
      {
        host: 'ecs.cn-shanghai.aliyuncs.com',
        action: 'RunInstances',
        version: '2014-05-26',
        date: '2023-10-26T10:22:32Z',
        nonce: RDS.nonce,
        query,
      },
      { accessKeyId: 'YourAccessKeyId', accessKeySecret: 'YourAccessKeySecret' },
    );
    expect(authorized).to.match(/,Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0$/);
  });

  it('sends every header that it names', () => {
    const headers = signedHeaders({ ...RDS, action: 'DescribeBackupTasks', query: '' }, createCredentials(KEY));
    const named = /SignedHeaders=([^,]+)/.exec(headers[headers.indexOf('authorization') + 1] ?? '')?.[1]?.split(';');
    const sent = headers.filter((_, index) => index % 2 === 0);
    expect(sent).to.have.members(['authorization', ...named!.filter((name) => name !== 'host')]);
  });

  it('dates a request in seconds, without a fraction', () => {
    expect(signingDate(Date.parse('2026-01-15T08:30:00.987Z'))).to.equal('2026-01-15T08:30:00Z');
  });

  it('makes the date anew with each second, also of a clock that was put back', () => {
    const dateOf = createSigningDates();
    const times = ['08:30:00.987', '08:30:01.000', '08:30:01.999', '08:29:59.500'];
    expect(times.map((time) => dateOf(Date.parse(`2026-01-15T${time}Z`)))).to.deep.equal([
      '2026-01-15T08:30:00Z',
      '2026-01-15T08:30:01Z',
      '2026-01-15T08:30:01Z',
      '2026-01-15T08:29:59Z',
    ]);
  });

  it('takes a lone surrogate for the replacement character instead of failing', () => {
    expect(canonicalQuery({ DBInstanceId: 'a\ud800b' })).to.equal('DBInstanceId=a%EF%BF%BDb');
  });

  it('says any text in the query so that it comes out the same', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const query = canonicalQuery({ DBInstanceId: text });
        expect(query).to.match(/^DBInstanceId=[A-Za-z0-9_.~%-]*$/);
        expect(new URLSearchParams(query).get('DBInstanceId')).to.equal(Buffer.from(text).toString());
      }),
    );
  });

  it('keeps the secret out of everything that prints credentials', () => {
    const credentials = createCredentials(KEY);
    expect(JSON.stringify(credentials) + inspect(credentials, { depth: 9 })).not.to.contain('testAccessKeySecret');
  });
});

describe('nonces', () => {
  it('never repeat, in one process or in two that start alike', () => {
    const [one, other] = [createNonces(), createNonces()];
    const nonces = Array.from({ length: 1_000 }, () => [one(), other()]).flat();
    expect(new Set(nonces).size).to.equal(2_000);
  });

  it('come from the given random bytes', () => {
    const next = createNonces((size) => Buffer.alloc(size, 0xab));
    expect([next(), next()]).to.deep.equal([`${'ab'.repeat(16)}0`, `${'ab'.repeat(16)}1`]);
  });
});
