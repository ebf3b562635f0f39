/** An error answer of the API. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** HTTP status and message by code, as the error pages of the API list them. */
const LISTED: Readonly<Record<string, readonly [status: number, message: string]>> = {
  'Throttling.User': [400, 'Request was denied due to user flow control.'],
  IncompleteSignature: [400, 'The request signature does not conform to Aliyun standards.'],
  SignatureDoesNotMatch: [400, 'Specified signature is not matched with our calculation.'],
  SignatureNonceUsed: [400, 'Specified signature nonce was used already.'],
  'InvalidTimeStamp.Format': [400, 'Specified time stamp or date value is not well formatted.'],
  'InvalidTimeStamp.Expired': [400, 'Specified time stamp or date value is expired.'],
  'InvalidAccessKeyId.NotFound': [404, 'Specified access key is not found.'],
  MissingSecurityToken: [400, 'SecurityToken is mandatory for this action.'],
  'InvalidSecurityToken.Malformed': [400, 'Specified SecurityToken is malformed.'],
  'InvalidSecurityToken.MismatchWithAccessKey': [400, 'Specified SecurityToken mismatch with the AccessKey.'],
  'InvalidSecurityToken.Expired': [400, 'Specified SecurityToken is expired.'],
  'InvalidApi.NotFound': [404, 'Specified api is not found, please check your url and method.'],
  NoSuchVersion: [400, 'Specified parameter Version is not valid.'],
  UnsupportedHTTPMethod: [400, 'This http method is not supported.'],
  'InvalidParameters.Format': [400, 'Specified parameters format is not valid.'],
  'InvalidRegionId.NotFound': [404, 'The specified RegionId does not exist.'],
  'InvalidDBInstanceName.NotFound': [404, 'The database instance does not exist.'],
  ReadDBInstanceNotSupport: [400, 'The operation is not supported for read-only instances.'],
  IncorrectDBInstanceType: [403, 'Current DB instance type does not support this operation.'],
  IncorrectDBInstanceEngine: [400, 'Current DB instance engine does not support this operation.'],
  IncorrectDBInstanceState: [403, 'Current DB instance state does not support this operation.'],
  'Invalid.NextToken': [400, 'The specified NextToken is invalid.'],
  'NumberExceed.Tags': [400, 'The maximum number of tags is exceeded.'],
  'Forbidden.RAM': [403, 'User not authorized to operate on the specified resource, or this API does not support RAM.'],
  NoPermission: [403, 'You are not authorized to do this action.'],
  InternalFailure: [400, 'The request processing has failed due to an internal error. Please try again later.'],
  TimeoutRetryLater: [400, 'The request timed out. Please try again later.'],
  InternalError: [500, 'The request processing has failed due to some unknown error.'],
  ServiceUnavailable: [503, 'The request has failed due to a temporary failure of the server.'],
};

/** The refusal with this code; status and message as listed unless given, 400 for a code that is not listed. */
export function refusal(code: string, given: Partial<Omit<Refusal, 'code'>> = {}): Refusal {
  const [status, message] = LISTED[code] ?? [400, 'The request was refused.'];
  return { status, code, message, ...given };
}

/** A parameter that the operation cannot do without. */
export function missing(parameter: string): Refusal {
  return refusal(`Missing${parameter}`, { message: `${parameter} is mandatory for this action.` });
}

/** The body of an error answer. */
export function refusalBody({ code, message }: Refusal, requestId: string, host: string): string {
  const recommend = `https://api.aliyun.com/troubleshoot?q=${encodeURIComponent(code)}&product=Rds&requestId=${requestId}`;
  return JSON.stringify({ RequestId: requestId, HostId: host, Code: code, Message: message, Recommend: recommend });
}
