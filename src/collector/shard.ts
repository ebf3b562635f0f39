import { createHash } from 'node:crypto';

/**
 * The shard that an instance belongs to, by rendezvous hashing of account and instance id: each shard draws a lot for the
 * instance and the highest wins, so a change of the count moves about 1/count of the instances.
 */
export function shardOf({ account, instanceId }: { account: string; instanceId: string }, count: number): number {
  let winner = 0;
  let highest = -1;
  for (let index = 0; index < count; index++) {
    const lot = createHash('md5').update(`${account}\n${instanceId}\n${index}`).digest().readUIntBE(0, 6);
    if (lot > highest) {
      highest = lot;
      winner = index;
    }
  }
  return winner;
}
