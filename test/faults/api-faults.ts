import { gzipSync } from 'node:zlib';
import { BAD_GATEWAY, MALFORMED_JSON } from '../../dist/simulator/faults.js';
import type { FaultEffect } from '../../dist/simulator/faults.js';
import { SICK } from './cloud.js';
import type { Cloud } from './cloud.js';

/**
 * A fault of the cloud or of the way to it. It strikes the region SICK of a cloud of cloud.ts, in any exporter, be it the one
 * of exporter.ts or a process with `cloud.configuration()`:
 *
 *     const cloud = await startCloud(systemClock());
 *     for (const fault of apiFaults.filter(({ inProcess }) => !inProcess)) {
 *       const lift = await fault.inflict(cloud);
 *       …
 *       await lift();
 *     }
 */
export interface ApiFault {
  readonly name: string;
  /** Of the failures counter, while it lasts. */
  readonly code: string;
  /** Puts it in force, in SICK unless told where else; the result lifts it. */
  inflict(cloud: Cloud, where?: Where): Promise<() => Promise<void>>;
  /** What the log says of it. */
  readonly said?: RegExp;
  /** It strikes the region whole, whatever instance is given. */
  readonly isWide?: boolean;
  /** It works by `cloud.lookup`, which only an exporter in the same process uses, in SICK alone. */
  readonly inProcess?: boolean;
}

export interface Where {
  readonly regionId?: string;
  /** The calls about this one alone. */
  readonly instanceId?: string;
}

/** What the API, or something in its place, answers or leaves unanswered. */
export function answered(name: string, code: string, effect: FaultEffect): ApiFault {
  return {
    name,
    code,
    inflict({ simulator: { faults } }, where) {
      const lift = faults.inject({ regionId: SICK, ...where, effect });
      return Promise.resolve(() => Promise.resolve(lift()));
    },
  };
}

/** The other region goes by its address. */
function unnamed(name: string, code: string, answer: Cloud['name']['answer']): ApiFault {
  return {
    name,
    code,
    isWide: true,
    inProcess: true,
    async inflict(cloud) {
      cloud.name.answer = answer;
      // Kept connections would go on without a name.
      await cloud.simulator.disconnect(SICK);
      await cloud.simulator.reconnect(SICK);
      return () => {
        cloud.name.answer = 'address';
        return Promise.resolve();
      };
    },
  };
}

const ok = (body: string | Buffer, headers?: Record<string, string>): FaultEffect => ({
  kind: 'raw',
  body,
  ...(headers && { headers }),
});

const HTML = '<html><body>Please log in</body></html>';
const IDLE = '{"RequestId":"R-1","Items":{"BackupJob":[],"DBInstance":[]}}';
const LONG = { 'content-length': '1000' };

export const apiFaults: readonly ApiFault[] = [
  {
    name: 'connection refused',
    code: 'ConnectionError',
    isWide: true,
    async inflict({ simulator }, { regionId = SICK } = {}) {
      await simulator.disconnect(regionId);
      return () => simulator.reconnect(regionId);
    },
  },
  unnamed('a name that does not resolve', 'ConnectionError', 'none'),
  unnamed('a name service that never answers', 'Timeout', 'never'),
  answered('a server that accepts and never answers', 'Timeout', { kind: 'hang' }),
  answered('headers, then silence', 'Timeout', { kind: 'stall' }),
  answered('one byte a second', 'Timeout', { kind: 'drip', everyMs: 1_000 }),
  answered('a reset before the answer', 'ConnectionError', { kind: 'reset' }),
  answered('a reset in the middle of the body', 'ConnectionError', { kind: 'truncate' }),
  answered('an end before the announced length', 'BadResponse', ok(IDLE, { ...LONG, connection: 'close' })),
  answered('truncated JSON', 'BadResponse', MALFORMED_JSON),
  answered('an empty 200', 'BadResponse', ok('')),
  answered('JSON null', 'BadResponse', ok('null')),
  answered('a JSON array', 'BadResponse', ok('[]')),
  answered('a JSON string', 'BadResponse', ok('"ok"')),
  answered('HTML with 502', 'HTTP502', BAD_GATEWAY),
  answered('HTML with 200', 'BadResponse', ok(HTML, { 'content-type': 'text/html' })),
  {
    ...answered('a body of 100 MB', 'BadResponse', ok(Buffer.alloc(100 << 20))),
    said: /answered with more than 4 MiB/,
  },
  {
    ...answered('a gzip bomb', 'BadResponse', ok(gzipSync(Buffer.alloc(8 << 20)), { 'content-encoding': 'gzip' })),
    said: /answered in an encoding that was not asked for/,
  },
  answered('a Content-Length beyond the body', 'Timeout', ok(IDLE, LONG)),
  answered('a Content-Length short of the body', 'BadResponse', ok(IDLE, { 'content-length': '9' })),
];
