import { cpSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { SICK } from './cloud.js';
import { INSTANCES, KeptWorld, finished, isAt, isSaved } from './kept-world.js';
import type { Page } from './page.js';
import { Volume } from './state-faults.js';

const FILES = { CURRENT: /^CURRENT$/, MANIFEST: /^MANIFEST/, log: /\.log$/, table: /\.ldb$/ };
const DAMAGES: Readonly<Record<string, (path: string) => void>> = {
  damaged: (path) => change(path, (content) => flip(content, content.length >> 1)),
  garbage: (path) => change(path, (content) => Buffer.from(content.map((byte) => byte ^ 0x5a))),
  truncated: (path) => change(path, (content) => content.subarray(0, content.length >> 1)),
  emptied: (path) => change(path, () => Buffer.alloc(0)),
  lost: (path) => rmSync(path),
};
/** The loss of the end of the log cannot be told from a state that is a little older, nor need a byte be of importance. */
const UNTOLD = new Set(['log garbage', 'log truncated', 'log emptied', 'log lost', 'table damaged']);
const TOLD = /the state was corrupt and has been repaired|its latest changes are lost|cannot be read and is dropped/;

function change(path: string, into: (content: Buffer) => Buffer): void {
  writeFileSync(path, into(readFileSync(path)));
}

function flip(content: Buffer, at: number): Buffer {
  const changed = Buffer.from(content);
  changed[at]! ^= 0x01;
  return changed;
}

/** A file of a kind; of several the newest. */
function fileOf(volume: Volume, name: RegExp): string {
  const database = join(volume.state, 'db');
  return join(
    database,
    readdirSync(database).findLast((entry) => name.test(entry))!,
  );
}

describe('a state that was damaged on disk', function () {
  this.timeout(180_000);
  const whole = new Volume();
  let wholePage: Page;
  let volume: Volume;
  let world: KeptWorld;

  before(async () => {
    world = await KeptWorld.open(whole);
    // Each start makes a table of what was in the log.
    await world.start();
    await world.pageOn('the polls', (page) => isAt(page, 0.4));
    await world.stop();
    world.cloud.end(SICK);
    await world.start();
    await world.pageOn('the outcome', (page) => isAt(page, 0.4) && finished(page, SICK) === 1);
    await world.stop();
    await world.start();
    for (const percent of [41, 42, 43]) {
      world.progress(percent);
      wholePage = await world.pageOn('the polls', (page) => isAt(page, percent / 100));
    }
    await world.stop();
    await world.close();
  });
  after(() => whole.remove());

  beforeEach(async () => {
    volume = new Volume();
    cpSync(whole.state, volume.state, { recursive: true });
    world = await KeptWorld.open(volume);
  });
  afterEach(async () => {
    await world.close();
    volume.remove();
  });

  for (const [file, name] of Object.entries(FILES)) {
    for (const [damage, inflict] of Object.entries(DAMAGES)) {
      it(`(${file} ${damage}) tells nothing that was not so, and is whole from then on`, async () => {
        inflict(fileOf(volume, name));
        world.cloud.end(SICK);
        await world.clock.advance(7_200_000);
        const startedAt = world.clock.toWall(world.clock.now()) / 1_000;
        await world.start();
        const page = await world.pageOn(
          'the polls',
          (seen) => isAt(seen, 0.4) && isSaved(seen) === 1 && finished(seen, SICK) !== 0,
        );
        expect(finished(page, SICK)).to.be.oneOf([undefined, 1]);
        const seenAt = page.all('instance_first_seen_timestamp_seconds');
        expect(seenAt).to.have.length(INSTANCES);
        const known = new Set(wholePage.all('instance_first_seen_timestamp_seconds').map(({ value }) => value));
        for (const { value } of seenAt) expect(value >= startedAt || known.has(value)).to.equal(true);
        const isLost = finished(page, SICK) === undefined || seenAt.some(({ value }) => value >= startedAt);
        if (isLost || !UNTOLD.has(`${file} ${damage}`)) expect(world.told(TOLD)).to.not.deep.equal([]);

        world.progress(50);
        const later = await world.pageOn('the polls', (seen) => isAt(seen, 0.5));
        await world.restart();
        const again = await world.pageOn('the polls', (seen) => isAt(seen, 0.5));
        for (const family of ['instance_first_seen_timestamp_seconds', 'completed_tasks_total'])
          expect(again.all(family)).to.deep.equal(later.all(family));
        expect(world.told(/level=(warn|error)/)).to.deep.equal([]);
      });
    }
  }
});
