import { expect } from 'chai';
import { codeLabel, kindOf, retryAfterMs } from '../../../dist/rds/classify.js';
import type { ErrorKind } from '../../../dist/domain/model.js';

const TABLE: readonly (readonly [number, string | undefined, ErrorKind])[] = [
  [400, 'Throttling', 'throttled'],
  [400, 'Throttling.User', 'throttled'],
  [400, 'Throttling.Api', 'throttled'],
  [429, 'Throttling.User.Flow', 'throttled'],
  [503, 'Rejected.Throttling', 'throttled'],
  [503, 'ServiceUnavailable', 'server'],
  [500, 'InternalError', 'server'],
  [400, 'InternalFailure', 'server'],
  [400, 'IO.Exception', 'server'],
  [400, 'TimeoutRetryLater', 'server'],
  [400, 'ConnectTimeoutRetryLater', 'server'],
  [400, 'Connect.Timeout', 'server'],
  [400, 'SqlExecuteFailedOrTimeout', 'server'],
  [408, 'NetworkOrSqlTimeoutError', 'server'],
  [400, 'InternalError', 'server'],
  [400, 'NetworkOrSqlTimeoutError', 'server'],
  [400, 'ServiceUnavailable', 'server'],
  [400, 'MyInvalidTimeStamp.Expired', 'request'],
  [400, 'MyInvalidAccessKeyId.NotFound', 'request'],
  [400, 'MyInvalidSecurityToken.Malformed', 'request'],
  [400, 'MyForbidden', 'request'],
  [400, 'Forbiddenish', 'request'],
  [499, 'SomethingNew', 'request'],
  [500, 'SomethingNew', 'server'],
  [502, undefined, 'server'],
  [408, undefined, 'server'],
  [429, undefined, 'throttled'],
  [400, 'CommodityServiceCalling.Exception', 'flaky'],
  [400, 'SignatureNonceUsed', 'nonce'],
  [400, 'InvalidSecurityToken.Expired', 'token_expired'],
  [400, 'InvalidTimeStamp.Expired', 'clock'],
  [400, 'InvalidTimeStamp.Format', 'clock'],
  [400, 'IllegalTimestamp', 'clock'],
  [404, 'InvalidAccessKeyId.NotFound', 'key_rejected'],
  [400, 'InvalidAccessKeyId.NotFound', 'key_rejected'],
  [400, 'InvalidAccessKeyId.Inactive', 'key_rejected'],
  [403, 'Forbidden.AccessKeyDisabled', 'key_rejected'],
  [400, 'InvalidSecurityToken.Malformed', 'key_rejected'],
  [400, 'InvalidSecurityToken.MismatchWithAccessKey', 'key_rejected'],
  [400, 'MissingSecurityToken', 'key_rejected'],
  [400, 'SignatureDoesNotMatch', 'key_rejected'],
  [403, 'SignatureDoesNotMatch', 'key_rejected'],
  [400, 'IncompleteSignature', 'key_rejected'],
  [403, 'Forbidden.RAM', 'denied'],
  [400, 'Forbidden.RAM', 'denied'],
  [403, 'NoPermission', 'denied'],
  [403, 'Forbidden', 'denied'],
  [403, 'Forbidden.RiskControl', 'denied'],
  [403, 'InvalidUserOperatorPermission', 'denied'],
  [404, 'InvalidDBInstanceName.NotFound', 'not_found'],
  [404, 'InvalidDBInstance.NotFound', 'not_found'],
  [404, 'InvalidDBInstanceId.NotFound', 'not_found'],
  [400, 'ReadDBInstanceNotSupport', 'unsupported'],
  [403, 'IncorrectDBInstanceType', 'unsupported'],
  [400, 'IncorrectDBInstanceEngine', 'unsupported'],
  [403, 'IncorrectDBInstanceState', 'not_now'],
  [400, 'Invalid.NextToken', 'next_token'],
  [400, 'InvalidParameters.Format', 'request'],
  [400, 'InvalidParameter.OwnerAccount', 'request'],
  [400, 'MissingDBInstanceId', 'request'],
  [405, 'UnsupportedHTTPMethod', 'request'],
  [404, 'InvalidApi.NotFound', 'request'],
  [404, 'InvalidProduct.NotFound', 'request'],
  [404, 'InvalidProtocol.NeedSsl', 'request'],
  [400, 'NoSuchVersion', 'request'],
  [400, 'Order.ComboInstanceNotAllowOperate', 'request'],
  [403, undefined, 'bad_response'],
  [200, 'SomethingNew', 'request'],
  [302, undefined, 'bad_response'],
  [204, undefined, 'bad_response'],
];

describe('the kind of a refusal', () => {
  for (const [status, code, kind] of TABLE) {
    it(`is ${kind} for ${code ?? 'no code'} in a ${status}`, () => {
      expect(kindOf(status, code)).to.equal(kind);
    });
  }
});

describe('the label of an error code', () => {
  it("is the API's own code", () => {
    expect(codeLabel('InvalidDBInstanceName.NotFound')).to.equal('InvalidDBInstanceName.NotFound');
  });

  it('is Other for what no API would call a code', () => {
    for (const code of ['a b', 'x'.repeat(65), 'line\nbreak', '错误', 'quote"'])
      expect(codeLabel(code)).to.equal('Other');
  });
});

describe("the server's own delay", () => {
  const hint = (headers: Record<string, string>): number | undefined => retryAfterMs((name) => headers[name]);

  it('is read in milliseconds from the current header and the older ones', () => {
    expect(hint({ 'x-acs-retry-after': '700' })).to.equal(700);
    expect(hint({ 'x-ratelimit-user-api': 'Limit:1,Remain:0,TimeLeft:2000,Reset:1234' })).to.equal(2_000);
    expect(hint({ 'x-ratelimit-user': 'Limit:1, TimeLeft: 1500' })).to.equal(1_500);
    expect(hint({ 'x-acs-retry-after': '700', 'x-ratelimit-user': 'TimeLeft:1500' })).to.equal(700);
    expect(hint({ 'x-acs-retry-after': '0', 'x-ratelimit-user': 'TimeLeft:1500' })).to.equal(1_500);
  });

  it('may have blanks around it, and be one millisecond', () => {
    expect(hint({ 'x-acs-retry-after': ' 700 ' })).to.equal(700);
    expect(hint({ 'x-acs-retry-after': '1' })).to.equal(1);
    expect(hint({ 'x-ratelimit-user': 'TimeLeft:1' })).to.equal(1);
    expect(hint({ 'x-ratelimit-user': 'Limit:1,NoTimeLeft:7' })).to.equal(undefined);
  });

  it('is at most two minutes', () => {
    expect(hint({ 'x-acs-retry-after': '119999' })).to.equal(119_999);
    expect(hint({ 'x-acs-retry-after': '999999999' })).to.equal(120_000);
  });

  it('is none when absent, zero, empty or no number', () => {
    for (const value of ['0', '', 'soon', '-5', '1.5', 'NaN'])
      expect(hint({ 'x-acs-retry-after': value })).to.equal(undefined);
    expect(hint({ 'x-ratelimit-user': 'Limit:1' })).to.equal(undefined);
    expect(hint({})).to.equal(undefined);
  });
});
