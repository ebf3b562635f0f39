/** Numbers that depend on nothing but their inputs: the same seed gives the same fleet on every machine. */

/** A hash of a text, 32 bits, unsigned (FNV-1a with murmur3's finaliser). */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return finalised(hash);
}

/** The number that `hash` gives for `salt`, in 0..1, 1 excluded. */
export function unitOf(hash: number, salt: number): number {
  return finalised(hash ^ Math.imul(salt + 1, 0x9e3779b1)) / 0x1_0000_0000;
}

/** One of `choices`, which must not be empty. */
export function pick<T>(choices: readonly [T, ...T[]], hash: number, salt: number): T {
  return choices[Math.floor(unitOf(hash, salt) * choices.length)] ?? choices[0];
}

function finalised(hash: number): number {
  let mixed = hash ^ (hash >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
