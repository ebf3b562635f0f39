import type { Refusal } from './refusal.js';

/** An admitted request. */
export interface Call {
  readonly account: string;
  readonly regionId: string;
  readonly action: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** The answer of an operation; the request id is added to the body on the way out. */
export type Result = { readonly body: object } | Refusal;

/** The instance that the call is about, for operations that are about one. */
export function instanceOf(call: Call): string | undefined {
  return call.parameters.get('DBInstanceId');
}
