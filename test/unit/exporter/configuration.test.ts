import { expect } from 'chai';
import { BudgetLog } from '../../../dist/collector/budget-log.js';
import type { Budget } from '../../../dist/collector/budget-log.js';
import { needsRestart, warningsOf } from '../../../dist/exporter/configuration.js';
import { shardLimit } from '../../../dist/collector/region-settings.js';
import { parseConfig } from '../../../dist/config/load.js';
import type { LoadedConfig } from '../../../dist/config/load.js';
import type { Logger } from '../../../dist/log.js';

function load(regions: string, more = ''): LoadedConfig {
  return parseConfig(`accounts: [{name: a, regions: ${regions}}]\n${more}`, { env: {}, file: 'config.yaml' });
}

describe('an unknown region', () => {
  it('is allowed with a warning, unless the configuration says where it answers', () => {
    expect(warningsOf(load('[cn-hangzhou, mars-1]'))).to.deep.equal([
      'region mars-1 is not in the endpoint table: calling rds.mars-1.aliyuncs.com',
    ]);
    expect(warningsOf(load('[{id: mars-1, endpoint: "https://rds.mars.example"}]'))).to.deep.equal([]);
  });
});

describe('a reload', () => {
  it('is refused when it changes what only a restart can', () => {
    const { config } = load('[cn-hangzhou]');
    expect(needsRestart(config, load('[cn-beijing]', 'polling: {concurrency: 3}').config)).to.deep.equal([]);
    expect(
      needsRestart(config, load('[cn-hangzhou]', 'sharding: {index: 1, count: 2}\nstate: {path: /s}').config),
    ).to.deep.equal([
      'sharding: a change moves instances between shards and needs a restart',
      'state: a change of the store needs a restart',
    ]);
  });
});

describe('the rate limit of a shard', () => {
  it('is divided by the number of shards, but for a burst of 1', () => {
    expect(shardLimit({ requestsPerSecond: 20, burst: 8 }, 4)).to.deep.equal({ requestsPerSecond: 5, burst: 2 });
    expect(shardLimit({ requestsPerSecond: 5, burst: 3 }, 4)).to.deep.equal({ requestsPerSecond: 1.25, burst: 1 });
  });
});

describe('the budget', () => {
  const lines: string[] = [];
  const log: Logger = {
    debug: () => undefined,
    info: (msg) => lines.push(`info: ${msg}`),
    warn: (msg) => lines.push(`warn: ${msg}`),
    error: () => undefined,
  };
  const config = { account: 'a', regionId: 'cn-hangzhou' };
  let size = 0;
  const place: Budget = {
    config,
    limit: 5,
    get pollLoop() {
      return { size, demand: { idle: size, active: 0, idleIntervalMs: 300_000, activeIntervalMs: 30_000 } };
    },
  };

  function told(budgetLog: BudgetLog, instances: number): readonly string[] {
    size = instances;
    lines.length = 0;
    budgetLog.look([place]);
    return [...lines];
  }

  it('is told in one line, as a warning with the interval really reached when it does not fit', () => {
    const budgetLog = new BudgetLog(log);
    expect(told(budgetLog, 1_250)).to.deep.equal([
      'info: 1,250 instances every 5m need 4.2/s in cn-hangzhou; the limit is 5/s',
    ]);
    expect(told(budgetLog, 3_000)).to.deep.equal([
      'warn: 3,000 instances every 5m need 10/s in cn-hangzhou; the limit is 5/s: idle instances are polled every 10m instead',
    ]);
  });

  it('is told again when the fleet has changed by a tenth, and after a reload', () => {
    const budgetLog = new BudgetLog(log);
    expect(told(budgetLog, 1_000)).to.have.length(1);
    expect(told(budgetLog, 1_099)).to.have.length(0);
    expect(told(budgetLog, 1_100)).to.have.length(1);
    budgetLog.reset();
    expect(told(budgetLog, 1_100)).to.have.length(1);
  });
});
