import { Secret } from '../../secret.js';

const MIN_LENGTH = 59;
const MIN_COST = 4;
const MAX_COST = 31;
const DEFAULT_COST = 10;
/** Salt and hash that no password is known for. */
const DECOY = 'QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ.VcEd00UAV.LDeSi';

/**
 * A bcrypt hash as Go's x/crypto/bcrypt reads one, in the one form this program compares: `$2b$`, cost, 53 characters.
 * Go looks at no more than the prefix, the version and the cost, and ignores what follows the hash. One that is
 * damaged is accepted and matches nothing.
 * @returns the rule that the text breaks if it is none
 */
export function normalHash(text: string): Secret | string {
  if (Buffer.byteLength(text) < MIN_LENGTH) return 'must be a bcrypt hash; this is too short for one';
  if (!text.startsWith('$')) return 'must be a bcrypt hash, which starts with $2';
  if (text.charAt(1) > '2') return 'must be a bcrypt hash of version 2';
  const rest = text.slice(text.charAt(2) === '$' ? 3 : 4);
  const cost = /^[+]?\d+$/.test(rest.slice(0, 2)) ? Number(rest.slice(0, 2)) : 0;
  if (cost < MIN_COST || cost > MAX_COST) return `must be a bcrypt hash of a cost from ${MIN_COST} to ${MAX_COST}`;
  const saltAndHash = rest.slice(3, 56);
  return new Secret(hashOf(cost, /^[./A-Za-z0-9]{53}$/.test(saltAndHash) ? saltAndHash : DECOY));
}

/** What to compare with when the user is unknown: as costly as the dearest of `hashes`. */
export function decoyHash(hashes: Iterable<Secret>): string {
  const costs = Array.from(hashes, (hash) => Number(hash.reveal().slice(4, 6)));
  return hashOf(costs.length > 0 ? Math.max(...costs) : DEFAULT_COST, DECOY);
}

function hashOf(cost: number, saltAndHash: string): string {
  return `$2b$${String(cost).padStart(2, '0')}$${saltAndHash}`;
}
