import { createHash, createHmac, randomUUID } from 'node:crypto';

/** A client small enough to be read at a glance: signs as the documentation says, and returns what came back. */
export interface Asked {
  readonly url: string;
  readonly action: string;
  readonly parameters?: Record<string, string>;
  readonly accessKeyId?: string;
  readonly accessKeySecret?: string;
  /** Set over the ordinary headers, before signing. */
  readonly headers?: Record<string, string>;
  readonly date: string;
  readonly signal?: AbortSignal;
  /** Signs and lists the headers in the wrong order. */
  readonly isUnsorted?: boolean;
}

export interface Told {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Empty when the text is no JSON. */
  readonly json: Body;
}

/** What the answers of the simulator hold, each field where it applies. */
export interface Body {
  readonly RequestId?: string;
  readonly HostId?: string;
  readonly Code?: string;
  readonly Message?: string;
  readonly Recommend?: string;
  readonly NextToken?: string;
  readonly PageNumber?: number;
  readonly PageRecordCount?: number;
  readonly TotalRecordCount?: number;
  readonly Items?: {
    readonly BackupJob?: readonly Record<string, string | number>[];
    readonly DBInstance?: readonly (Record<string, unknown> & { readonly DBInstanceId: string })[];
    readonly DBInstanceTag?: readonly { readonly DBInstanceId: string; readonly Tags: object }[];
  };
}

const EMPTY_HASH = createHash('sha256').digest('hex');

export async function ask(asked: Asked): Promise<Told> {
  const { accessKeyId = 'key', accessKeySecret = 'secret', parameters = {} } = asked;
  const headers: Record<string, string> = {
    'x-acs-action': asked.action,
    'x-acs-content-sha256': EMPTY_HASH,
    'x-acs-date': asked.date,
    'x-acs-signature-nonce': randomUUID(),
    'x-acs-version': '2014-08-15',
    ...asked.headers,
  };
  const query = queryOf(parameters, escape3986);
  const signed: Record<string, string> = { host: new URL(asked.url).host, ...headers };
  const sorted = Object.keys(signed).toSorted();
  const names = asked.isUnsorted === true ? sorted.toReversed() : sorted;
  const block = names.map((name) => `${name}:${signed[name]}\n`).join('');
  const canonical = ['POST', '/', query, block, names.join(';'), EMPTY_HASH].join('\n');
  const text = `ACS3-HMAC-SHA256\n${createHash('sha256').update(canonical).digest('hex')}`;
  const signature = createHmac('sha256', accessKeySecret).update(text).digest('hex');
  const authorization = `ACS3-HMAC-SHA256 Credential=${accessKeyId},SignedHeaders=${names.join(';')},Signature=${signature}`;
  // As the official SDK does: five characters are escaped for the signature and not on the wire.
  const response = await fetch(`${asked.url}/?${queryOf(parameters, encodeURIComponent)}`, {
    method: 'POST',
    headers: { ...headers, authorization },
    ...(asked.signal && { signal: asked.signal }),
  });
  const body = await response.text();
  return { status: response.status, headers: response.headers, text: body, json: parsed(body) };
}

function queryOf(parameters: Record<string, string>, escape: (value: string) => string): string {
  const names = Object.keys(parameters).toSorted();
  return names.map((name) => `${name}=${escape(parameters[name]!)}`).join('&');
}

function escape3986(value: string): string {
  return encodeURIComponent(value).replaceAll(
    /[!'()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

export function parsed(text: string): Body {
  try {
    const body: Body = JSON.parse(text);
    return body;
  } catch {
    return {};
  }
}

/** Lets real sockets do their work until `holds` does. */
export async function until(holds: () => boolean): Promise<void> {
  for (let turns = 0; !holds(); turns++) {
    if (turns > 100_000) throw new Error(`never came true: ${holds.toString()}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
