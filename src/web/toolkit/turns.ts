/** New connections delay requests and bodies by no more. */
const MOST_TURNS_PASSED = 16;

const handshakes: (() => void)[] = [];
const others: (() => void)[] = [];
let hasAccepted = false;
let turnsPassed = 0;

/** To be called for each new connection of any server. */
export function connectionAccepted(): void {
  hasAccepted = true;
}

/** Runs in a turn of the event loop in which no connection was accepted. */
export function inHandshakeTurn(run: () => void): void {
  add(handshakes, run);
}

/**
 * Runs in a turn of the event loop in which no connection was accepted and no handshake started. Node.js accepts one
 * connection a turn: during a flood the newest, perhaps a health probe, would wait for as many turns' work as there are
 * connections before it.
 */
export function inQuietTurn(run: () => void): void {
  add(others, run);
}

function add(list: (() => void)[], run: () => void): void {
  if (handshakes.length + others.length === 0) setImmediate(turn);
  list.push(run);
}

function turn(): void {
  const isDue = turnsPassed === MOST_TURNS_PASSED;
  const starting = hasAccepted && !isDue ? [] : handshakes.splice(0);
  const isQuiet = isDue || (!hasAccepted && starting.length === 0);
  const quiet = isQuiet ? others.splice(0) : [];
  turnsPassed = isQuiet ? 0 : turnsPassed + 1;
  hasAccepted = false;
  if (handshakes.length + others.length > 0) setImmediate(turn);
  for (const run of [...starting, ...quiet]) run();
}
