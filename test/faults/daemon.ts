import { performance } from 'node:perf_hooks';
import { expect } from 'chai';
import { eventually } from '../helpers/program.js';
import type { RunningExporter } from '../helpers/program.js';
import { Page } from './page.js';

/** The built exporter, as a process: what a test asks of it. */

/** To be appended to a configuration: it keeps its state beside the file, and polls as fast as a test wants. */
export const HASTY = `polling: {idle_interval: 300ms, active_interval: 300ms, timeout: 2s, max_attempts: 1, rate_limit: {requests_per_second: 2000, burst: 2000}}
state: {path: state}
`;

/** The same where every poll must work, however slow the machine. */
export const PATIENT = HASTY.replace('timeout: 2s', 'timeout: 60s');

/** The first page on which something holds. */
export function becomes({ url }: RunningExporter, what: string, holds: (page: Page) => boolean): Promise<Page> {
  return eventually(what, async () => {
    const page = new Page(await (await fetch(`${url}/metrics`)).text());
    return holds(page) ? page : undefined;
  });
}

/** It ends as it should on a SIGTERM that `send` sends: within 5 s, with 0, and with nothing to say afterwards. */
export async function expectWholeStop(
  { program }: RunningExporter,
  send: () => unknown = () => program.child.kill('SIGTERM'),
): Promise<void> {
  const sentAt = performance.now();
  send();
  expect(await program.exit, program.stderr).to.equal(0);
  expect(performance.now() - sentAt).to.be.below(5_000);
  expect(program.stderr.match(/msg=stopping/g)).to.have.length(1);
  expect(program.stderr).to.match(/ msg=stopped\n$/);
}

/** Nothing has gone wrong that the log would tell of. */
export function expectNoComplaint({ program }: RunningExporter): void {
  expect(program.stderr).to.not.match(/level=(warn|error)/);
}
