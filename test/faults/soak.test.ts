import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { Figures } from '../soak/soak.js';

const MAIN = fileURLToPath(new URL('../soak/main.js', import.meta.url));

/** Three days of 500 instances. Always the same ones: others by SOAK_SEED, and at random with `node dist-test/soak/main.js`. */
describe('a soak of three simulated days, with faults at random', () => {
  const seed = process.env['SOAK_SEED'] ?? '1';
  let figures: Figures;
  let wrong: string;

  before(function () {
    this.timeout(300_000);
    console.log(`    SOAK_SEED=${seed}`);
    const { stdout, stderr } = spawnSync(process.execPath, [MAIN, `--seed=${seed}`], { encoding: 'utf8' });
    wrong = stderr;
    expect(stdout, `${seed}: ${stderr}`).not.to.equal('');
    figures = JSON.parse(stdout) as Figures;
  });

  it('shows nothing that is not so, counts every job once and right, and never goes over its limits', () => {
    expect(wrong).to.equal('');
    expect(figures.violations).to.equal(0);
  });

  it('needs no more memory at its end than at half time', () => {
    expect(figures.heapLate / figures.heapEarly).to.be.below(1.05);
  });

  it('has met everything that it is there for', () => {
    const { met, jobs, restarts, kills, clockSteps, storeFailures, reloads, changes, faults } = figures;
    const happened = { ...met, ...jobs, restarts, kills, clockSteps, storeFailures, reloads, changes, faults };
    for (const [what, times] of Object.entries(happened)) expect(times, what).to.be.above(0);
  });
});
