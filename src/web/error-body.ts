export interface ErrorBody {
  readonly type: string;
  readonly text: string;
}

/** What an error says: JSON to who asks the API, a line of text to everyone else. `target` is the request's, path and query. */
export function errorBody(target: string, error: string): ErrorBody {
  return target.startsWith('/api/')
    ? { type: 'application/json; charset=utf-8', text: `${JSON.stringify({ errors: [error] })}\n` }
    : { type: 'text/plain; charset=utf-8', text: `${error}\n` };
}
