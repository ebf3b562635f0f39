import { expect } from 'chai';
import { redact } from '../../dist/redact.js';

describe('a message of the network', () => {
  it('stays as it is when nothing is wrong with it', () => {
    const text = "User not authorized to operate on the specified resource, or this API doesn't support RAM.";
    expect(redact(text)).to.equal(text);
  });

  it('is one line of at most 300 characters', () => {
    expect(redact('one\r\n\ttwo\u2028three\u0007')).to.equal('one two three');
    expect(redact('word '.repeat(1_000))).to.have.lengthOf(300);
  });

  it('loses the string to sign that a refused signature is answered with', () => {
    const v1 =
      'Specified signature is not matched with our calculation. server string to sign is:POST&%2F&AccessKeyId%3DtestKey';
    const v3 =
      'The signature is wrong, server StringToSign is [ACS3-HMAC-SHA256\nabc]; server CanonicalRequest is [POST\n/\nx]';
    expect(redact(v1)).to.equal('Specified signature is not matched with our calculation.');
    expect(redact(v3)).to.equal('The signature is wrong,');
  });

  it('loses the values that were sent', () => {
    expect(redact('key testKey, token CAIS+x==', ['testKey', 'CAIS+x==', undefined, ''])).to.equal(
      'key <secret>, token <secret>',
    );
    expect(redact('token CAIS%2Bx%3D%3D', ['CAIS+x=='])).to.equal('token <secret>');
  });

  it('loses signed URLs, access keys, authorisation headers and long runs that could be tokens', () => {
    expect(redact('GET https://sts.aliyuncs.com/?AccessKeyId=abc&Signature=def failed')).to.equal(
      'GET https://sts.aliyuncs.com/?<secret> failed',
    );
    expect(redact('key LTAI5tExampleExample is gone')).to.equal('key <secret> is gone');
    expect(redact('key STS.NTexampleexample is gone')).to.equal('key <secret> is gone');
    expect(redact('Signature=3c0002a0 and Signature: 9')).to.equal('Signature=<secret> and Signature=<secret>');
    expect(redact(`saw ${'aB3+/'.repeat(12)} there`)).to.equal('saw <secret> there');
  });
});
