import { createSecretKey } from 'node:crypto';
import { expect } from 'chai';
import { isSignedWith, parseAuthorization, stringToSign } from '../../../dist/simulator/signature.js';

const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

interface Vector {
  readonly action: string;
  readonly host: string;
  readonly parameters: Record<string, string>;
  readonly secret: string;
  readonly extra?: Record<string, string>;
  readonly version?: string;
  readonly date?: string;
  readonly hash?: string;
  readonly signature: string;
}

/** Made by the official client library; the last is the documentation's own example. */
const VECTORS: Record<string, Vector> = {
  'a minimal call': {
    action: 'DescribeBackupTasks',
    host: 'rds.aliyuncs.com',
    parameters: { DBInstanceId: 'rm-uf6wjk5example' },
    secret: 'testAccessKeySecret',
    hash: '7dbe18d75cf536eeb525acd1d757e62b11ce21a0b56ec487382cafdca57dcce3',
    signature: '3c0002a0531c01e003f972586e905b5fe8f8807bb3c14711fa1bb37197a73d2b',
  },
  'a call with a security token and awkward characters': {
    action: 'DescribeDBInstances',
    host: 'rds.ap-southeast-5.aliyuncs.com',
    parameters: {
      Tags: '{"env":"prod (a*b)","团队":"db~1"}',
      SearchKey: "it's!",
      RegionId: 'ap-southeast-5',
      MaxResults: '100',
    },
    secret: 'testStsSecret',
    extra: {
      'x-acs-accesskey-id': 'STS.testAccessKeyId',
      'x-acs-credentials-provider': 'static_sts',
      'x-acs-security-token': 'CAIS+test/Token==',
    },
    hash: 'decde595235c8b6ad9d6b1b35d61c123ddaba2d36900d18c6a3c552807730a2c',
    signature: 'b1cfcc3b64ed5d9ead1b77717d8f89089ded1805635983eabcb02c2bb0fca58d',
  },
  'a call with two parameters and an extra header': {
    action: 'DescribeBackupTasks',
    host: 'rds.aliyuncs.com',
    parameters: { DBInstanceId: 'rm-uf6wjk5example', BackupJobStatus: 'Progressing' },
    secret: 'testAccessKeySecret',
    extra: { 'x-acs-credentials-provider': 'static_ak' },
    hash: '3a2095f5cb153a7c3e3ae3cfc32771b8af37caf6f6b090f0c45efb9f97be2b98',
    signature: '69bab1ae41fc6568e56678e350fcf2cbca62bd0a18311fe91296d2e864634eac',
  },
  "the documentation's example": {
    action: 'RunInstances',
    host: 'ecs.cn-shanghai.aliyuncs.com',
    parameters: { ImageId: 'win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd', RegionId: 'cn-shanghai' },
    secret: 'YourAccessKeySecret',
    version: '2014-05-26',
    date: '2023-10-26T10:22:32Z',
    signature: '06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0',
  },
};

function textOf(vector: Vector): string {
  const headers = {
    host: vector.host,
    'x-acs-action': vector.action,
    'x-acs-content-sha256': EMPTY,
    'x-acs-date': vector.date ?? '2026-01-15T08:30:00Z',
    'x-acs-signature-nonce': '3156853299f313e23d1673dc12e1703d',
    'x-acs-version': vector.version ?? '2014-08-15',
    ...vector.extra,
  };
  const parameters = new Map(Object.entries(vector.parameters));
  const request = { method: 'POST', path: '/', parameters, headers, bodyHash: EMPTY };
  return stringToSign(request, Object.keys(headers).toSorted());
}

describe("the simulator's check of signatures", () => {
  for (const [name, vector] of Object.entries(VECTORS)) {
    it(`agrees with the official library on ${name}`, () => {
      const secret = createSecretKey(vector.secret, 'utf8');
      if (vector.hash !== undefined) expect(textOf(vector)).to.equal(`ACS3-HMAC-SHA256\n${vector.hash}`);
      expect(isSignedWith(secret, textOf(vector), vector.signature)).to.equal(true);
      expect(isSignedWith(secret, `${textOf(vector)} `, vector.signature)).to.equal(false);
    });
  }

  it('reads an Authorization header and nothing that resembles one', () => {
    const good = `ACS3-HMAC-SHA256 Credential=key,SignedHeaders=host;x-acs-date,Signature=${'ab'.repeat(32)}`;
    expect(parseAuthorization(good)).to.deep.equal({
      accessKeyId: 'key',
      signedHeaders: ['host', 'x-acs-date'],
      signature: 'ab'.repeat(32),
    });
    for (const bad of [undefined, '', good.replace('ACS3', 'ACS2'), good.slice(0, -1), good.toUpperCase()]) {
      expect(parseAuthorization(bad), bad).to.equal(undefined);
    }
  });
});
