import type { ApiError, ApiResult } from '../domain/model.js';
import { codeLabel, kindOf, retryAfterMs } from './classify.js';
import type { HttpAnswer } from './http-client.js';
import { isObject, textOf } from './fields.js';
import type { JsonObject } from './fields.js';
import { redact } from '../redact.js';
import type { Credentials } from './sign.js';

/** Reads the answer to a request that was signed with `used`: its JSON object, or the error it stands for. */
export function readAnswer(answer: HttpAnswer, used: Credentials): ApiResult<JsonObject> {
  const body = parseObject(answer.body);
  if (answer.status === 200) {
    if (body === undefined) return { ok: false, error: badAnswer(answer, 'no JSON object', used) };
    // A gateway may put a refusal into a 200. No operation in use has a Code of its own.
    if (textOf(body, 'Code') === undefined || body['Items'] !== undefined) return { ok: true, value: body };
  }
  return { ok: false, error: refusal(answer, body ?? {}, used) };
}

const HINTS: { readonly [kind in ApiError['kind']]?: string } = {
  clock: 'the clock of this machine is off by more than 15 minutes, set it',
  key_rejected: "check the access key in the account's credentials",
};

function refusal(answer: HttpAnswer, body: JsonObject, used: Credentials): ApiError {
  const code = textOf(body, 'Code');
  const kind = kindOf(answer.status, code);
  const said =
    redact(textOf(body, 'Message') ?? '', sentBy(used)) || `${describe(answer)} without a message of the API`;
  const hint = HINTS[kind];
  return {
    kind,
    code: code === undefined ? `HTTP${answer.status}` : codeLabel(redact(code, sentBy(used))),
    message: redact(hint === undefined ? said : `${hint}: ${said}`, sentBy(used)),
    requestId: requestIdOf(answer, body, used),
    retryAfterMs: retryAfterMs((name) => headerOf(answer, name)),
  };
}

/** A 200 that does not hold what it should. */
export function badAnswer(answer: HttpAnswer, what: string, used: Credentials): ApiError {
  return {
    kind: 'bad_response',
    code: 'BadResponse',
    message: redact(`${describe(answer)} with ${what}`, sentBy(used)),
    requestId: requestIdOf(answer, {}, used),
    retryAfterMs: undefined,
  };
}

/** What a hostile or careless server could send back. */
function sentBy(used: Credentials): readonly (string | undefined)[] {
  return [used.accessKeyId, used.securityToken];
}

function describe(answer: HttpAnswer): string {
  return `HTTP ${answer.status}, ${headerOf(answer, 'content-type') ?? 'no content type'}, ${answer.body.length} characters`;
}

function requestIdOf(answer: HttpAnswer, body: JsonObject, used: Credentials): string | undefined {
  const id = redact(textOf(body, 'RequestId') ?? headerOf(answer, 'x-acs-request-id') ?? '', sentBy(used));
  return /^[A-Za-z0-9._-]{1,64}$/.test(id) ? id : undefined;
}

function headerOf({ headers }: HttpAnswer, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : value?.[0];
}

function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
