import type { ErrorKind } from '../domain/model.js';

/**
 * What an error code of the API means for the caller. RDS reports trouble of its own as 400, and throttling as 400, 429
 * or 503, so the code decides and the status only where the code says nothing.
 * https://www.alibabacloud.com/help/en/rds/developer-reference/api-rds-2014-08-15-errorcodes
 */
const KIND_BY_CODE: ReadonlyMap<string, ErrorKind> = new Map<string, ErrorKind>([
  ['ServiceUnavailable', 'server'],
  ['InternalError', 'server'],
  ['InternalFailure', 'server'],
  ['IO.Exception', 'server'],
  ['TimeoutRetryLater', 'server'],
  ['ConnectTimeoutRetryLater', 'server'],
  ['Connect.Timeout', 'server'],
  ['SqlExecuteFailedOrTimeout', 'server'],
  ['NetworkOrSqlTimeoutError', 'server'],
  ['CommodityServiceCalling.Exception', 'flaky'],
  ['SignatureNonceUsed', 'nonce'],
  ['InvalidSecurityToken.Expired', 'token_expired'],
  ['IllegalTimestamp', 'clock'],
  ['Forbidden.AccessKeyDisabled', 'key_rejected'],
  ['MissingSecurityToken', 'key_rejected'],
  ['SignatureDoesNotMatch', 'key_rejected'],
  ['IncompleteSignature', 'key_rejected'],
  ['NoPermission', 'denied'],
  ['InvalidUserOperatorPermission', 'denied'],
  ['InvalidDBInstanceName.NotFound', 'not_found'],
  ['InvalidDBInstance.NotFound', 'not_found'],
  ['InvalidDBInstanceId.NotFound', 'not_found'],
  ['ReadDBInstanceNotSupport', 'unsupported'],
  ['IncorrectDBInstanceType', 'unsupported'],
  ['IncorrectDBInstanceEngine', 'unsupported'],
  ['IncorrectDBInstanceState', 'not_now'],
  ['Invalid.NextToken', 'next_token'],
]);

const KIND_BY_PATTERN: readonly (readonly [RegExp, ErrorKind])[] = [
  [/throttling/i, 'throttled'],
  [/^InvalidTimeStamp\b/i, 'clock'],
  [/^InvalidAccessKeyId\b/, 'key_rejected'],
  [/^InvalidSecurityToken\b/, 'key_rejected'],
  [/^Forbidden\b/, 'denied'],
];

/** The kind of a refusal; `code` is undefined when the answer is none of the API's. */
export function kindOf(status: number, code: string | undefined): ErrorKind {
  const known = code === undefined ? undefined : kindOfCode(code);
  if (known !== undefined) return known;
  if (status === 429) return 'throttled';
  if (status >= 500 || status === 408) return 'server';
  // Something between here and the API answered in its place: a proxy, a captive portal.
  if (code === undefined) return 'bad_response';
  return 'request';
}

function kindOfCode(code: string): ErrorKind | undefined {
  return KIND_BY_CODE.get(code) ?? KIND_BY_PATTERN.find(([pattern]) => pattern.test(code))?.[1];
}

/** A code as the metric's label: the API's own when it looks like one, else `Other`. */
export function codeLabel(code: string): string {
  return /^[A-Za-z0-9._-]{1,64}$/.test(code) ? code : 'Other';
}

const MAX_RETRY_AFTER_MS = 120_000;

/**
 * The server's own delay in milliseconds: `x-acs-retry-after`, or `TimeLeft` in the older `x-ratelimit-user-api` and
 * `x-ratelimit-user`. No hint: absent, zero, or no number.
 */
export function retryAfterMs(header: (name: string) => string | undefined): number | undefined {
  const hints = [
    header('x-acs-retry-after'),
    timeLeft(header('x-ratelimit-user-api')),
    timeLeft(header('x-ratelimit-user')),
  ];
  for (const hint of hints) {
    const delayMs = hint !== undefined && /^\d+$/.test(hint.trim()) ? Number(hint) : 0;
    if (delayMs > 0) return Math.min(delayMs, MAX_RETRY_AFTER_MS);
  }
  return undefined;
}

/** From `Limit:1,Remain:0,TimeLeft:2000,Reset:1234`. */
function timeLeft(value: string | undefined): string | undefined {
  return value === undefined ? undefined : /(?:^|,)\s*TimeLeft:\s*(\d+)/i.exec(value)?.[1];
}
