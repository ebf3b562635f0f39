/** How many cases a property draws: all in the whole gate, a fifth in the inner loop. */
export function cases(all: number): number {
  return process.env.INNER_LOOP === 'true' ? Math.ceil(all / 5) : all;
}
