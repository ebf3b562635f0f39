/** Watches the event loop; the result ends that and tells the longest time, in milliseconds, in which nothing else had its turn. */
export function watchTurns(): () => number {
  let isWatching = true;
  let longestMs = 0;
  let last = performance.now();
  const turn = (): void => {
    const now = performance.now();
    longestMs = Math.max(longestMs, now - last);
    last = now;
    if (isWatching) setImmediate(turn);
  };
  setImmediate(turn);
  return () => {
    isWatching = false;
    return longestMs;
  };
}
