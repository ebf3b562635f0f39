import { setImmediate as nextTurn } from 'node:timers/promises';

/** As many as are dealt with before other work of the process gets its turn: a few milliseconds, also in cold code. */
export const A_TURN = 250;

/** The numbers from 0 to `length` - 1 in order: sorted runs are joined two by two, with a turn for others between. */
export async function sortInTurns(
  length: number,
  compare: (one: number, other: number) => number,
): Promise<readonly number[]> {
  let runs: number[][] = [];
  for (let start = 0; start < length; start += A_TURN) {
    const size = Math.min(A_TURN, length - start);
    runs.push(Array.from({ length: size }, (_, index) => start + index).toSorted(compare));
    await nextTurn();
  }
  while (runs.length > 1) {
    const joined: number[][] = [];
    for (let index = 0; index < runs.length; index += 2) {
      // Sorting two sorted runs is one pass over them.
      joined.push([...(runs[index] ?? []), ...(runs[index + 1] ?? [])].toSorted(compare));
      await nextTurn();
    }
    runs = joined;
  }
  return runs[0] ?? [];
}
