/** How soon a call is wanted: an instance with a running task before one with nothing to show. */
export type Priority = 'active' | 'idle';

/** Of ten turns that both classes want, one is the idle ones'. */
const ACTIVE_IN_A_ROW = 9;

/** Whose turn it is when active and idle both wait: active first, yet a tenth is left to the idle. */
export class PriorityAlternator {
  #activeInARow = 0;

  next(isActiveWaiting: boolean, isIdleWaiting: boolean): Priority | undefined {
    if (!isActiveWaiting) return isIdleWaiting ? 'idle' : undefined;
    return isIdleWaiting && this.#activeInARow >= ACTIVE_IN_A_ROW ? 'idle' : 'active';
  }

  /** Notes a turn that was given; one that nobody else wanted does not count. */
  taken(priority: Priority, isIdleWaiting: boolean): void {
    this.#activeInARow = priority === 'active' && isIdleWaiting ? this.#activeInARow + 1 : 0;
  }
}
