import { newSubject } from '../../dist/collector/circuit-breaker.js';
import { ApiLimiter } from '../../dist/collector/api-limiter.js';
import type { Waiter, ApiLimiterOptions } from '../../dist/collector/api-limiter.js';

/** A gate that limits nothing and has nothing to poll, unless told otherwise. */
export function gateOf(over: Partial<ApiLimiterOptions> = {}): ApiLimiter {
  return new ApiLimiter({
    accountRegion: { account: 'a', regionId: 'cn-hangzhou' },
    action: 'DescribeBackupTasks',
    limit: { requestsPerSecond: 1e6, burst: 1e6 },
    nowMs: 0,
    instances: () => 0,
    random: () => 0,
    onCooldown: () => undefined,
    onThrottled: () => undefined,
    ...over,
  });
}

/** A caller of an instance that was never asked and is due at 0, unless told otherwise. */
export function callerOf(over: Partial<Waiter> = {}): Waiter {
  return { subject: newSubject(), dueAt: 0, order: 0, position: -1, acquired: () => undefined, ...over };
}
