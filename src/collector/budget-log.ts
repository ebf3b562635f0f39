import type { Logger } from '../log.js';
import type { AccountRegion } from '../domain/model.js';
import { affordableIntervalMs, neededRate } from './poll-budget.js';
import type { PollDemand } from './poll-budget.js';
import { regionFields } from './event-log.js';

/** What is to be told of one account and region. */
export interface Budget {
  readonly config: AccountRegion;
  readonly pollLoop: { readonly size: number; readonly demand: PollDemand };
  /** Requests a second. */
  readonly limit: number;
}

/** A fleet that changes by less than this says nothing new about its needs. */
const NOTABLE_CHANGE = 0.1;

/** Tells what polling needs against what the limit gives, whenever the fleet has changed by a tenth. */
export class BudgetLog {
  readonly #log: Logger;
  readonly #told = new Map<Budget, number>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Tells it again in any case. */
  reset(): void {
    this.#told.clear();
  }

  look(places: Iterable<Budget>): void {
    for (const region of places) {
      const { size } = region.pollLoop;
      const told = this.#told.get(region);
      if (size === 0 || (told !== undefined && Math.abs(size - told) < told * NOTABLE_CHANGE)) continue;
      this.#told.set(region, size);
      this.#tell(region);
    }
  }

  #tell({ config, pollLoop, limit }: Budget): void {
    const { idleIntervalMs } = pollLoop.demand;
    const needed = neededRate(pollLoop.demand);
    const instances = pollLoop.size === 1 ? '1 instance' : `${pollLoop.size.toLocaleString('en-US')} instances`;
    const need = `${instances} every ${duration(idleIntervalMs)} need ${rate(needed)}/s in ${config.regionId}; the limit is ${rate(limit)}/s`;
    if (needed <= limit) return this.#log.info(need, regionFields(config));
    const reached = duration(affordableIntervalMs(pollLoop.demand, limit));
    this.#log.warn(`${need}: idle instances are polled every ${reached} instead`, regionFields(config));
  }
}

function rate(perSecond: number): string {
  return String(Number(perSecond.toPrecision(2)));
}

/** In the units of the configuration, rounded to what matters: `90s`, `5m`, `1h10m`. */
function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 1) return `${Math.round(ms)}ms`;
  if (seconds < 60 || (seconds < 600 && seconds % 60 !== 0)) return `${seconds}s`;
  const minutes = Math.round(seconds / 60);
  const hours = Math.floor(minutes / 60);
  return `${hours > 0 ? `${hours}h` : ''}${minutes % 60 > 0 || hours === 0 ? `${minutes % 60}m` : ''}`;
}
