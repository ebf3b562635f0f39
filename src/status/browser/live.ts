import type { Clock } from '../../clock.js';
import { spanText } from '../page/age-text.js';
import { morph } from './morph.js';
import { retellTimes } from './times.js';

const REFRESH_MS = 5_000;
const ANSWER_TIMEOUT_MS = 10_000;
const TICK_MS = 1_000;

/** Keeps the page as the exporter would serve it now: asks every few seconds, changes what changed, says when it cannot. */
export class LivePage {
  readonly #clock: Clock;
  /** The exporter's clock less this one. */
  #skewMs: number;
  #tag: string | undefined;
  #updatedAt: number;
  #failingSince: number | undefined;
  #isPaused = false;
  #asked = new AbortController();
  #cancelNext = (): void => undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#updatedAt = clock.now();
    this.#skewMs = servedAt(document.body) - this.#updatedAt;
  }

  start(): void {
    this.#tick();
    this.#plan();
    document.addEventListener('visibilitychange', () => this.#resume());
  }

  /** Shows another address of the page without leaving it. */
  async show(url: string): Promise<void> {
    this.#tag = undefined;
    await this.#refresh(url);
  }

  set paused(isPaused: boolean) {
    this.#isPaused = isPaused;
    this.#resume();
  }

  /** A hidden tab asks for nothing; one that is looked at again asks at once. */
  #resume(): void {
    this.#cancelNext();
    this.#tellState();
    if (!document.hidden && !this.#isPaused) void this.#refresh(location.href);
  }

  #plan(): void {
    this.#cancelNext();
    if (document.hidden || this.#isPaused) return;
    this.#cancelNext = this.#clock.after(REFRESH_MS, () => void this.#refresh(location.href));
  }

  async #refresh(url: string): Promise<void> {
    // The latest question alone counts: an older answer must not overwrite a newer page.
    this.#asked.abort();
    const asked = new AbortController();
    this.#asked = asked;
    this.#cancelNext();
    const cancelTimeout = this.#clock.after(ANSWER_TIMEOUT_MS, () => asked.abort('timeout'));
    try {
      await this.#ask(url, asked.signal);
      this.#failingSince = undefined;
    } catch {
      if (asked !== this.#asked) return;
      this.#failingSince ??= this.#clock.now();
    } finally {
      cancelTimeout();
    }
    if (asked !== this.#asked) return;
    this.#tellState();
    this.#plan();
  }

  async #ask(url: string, signal: AbortSignal): Promise<void> {
    const headers: HeadersInit = this.#tag === undefined ? {} : { 'If-None-Match': this.#tag };
    const answer = await fetch(url, { headers, signal, cache: 'no-store', redirect: 'error' });
    if (answer.status !== 304) {
      if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
      const text = await answer.text();
      signal.throwIfAborted();
      this.#tag = answer.headers.get('ETag') ?? undefined;
      this.#take(new DOMParser().parseFromString(text, 'text/html'));
    }
    this.#updatedAt = this.#clock.now();
  }

  #take(page: Document): void {
    // Another version of the exporter brings another script.
    if (scriptOf(page) !== scriptOf(document)) return location.reload();
    this.#skewMs = servedAt(page.body) - this.#clock.now();
    retellTimes(page, this.#exporterNow());
    keepOwn(page);
    const focused = document.activeElement;
    morph(document.body, page.body);
    if (document.title !== page.title) document.title = page.title;
    // A row that moved lost its focus on the way; one that is gone leaves it to the list.
    if (focused instanceof HTMLElement && focused !== document.activeElement) {
      const heir = focused.isConnected ? focused : document.getElementById('list');
      heir?.focus({ preventScroll: true });
    }
  }

  #tick(): void {
    if (!document.hidden) {
      retellTimes(document, this.#exporterNow());
      this.#tellState();
    }
    this.#clock.after(TICK_MS, () => this.#tick());
  }

  #exporterNow(): number {
    return this.#clock.now() + this.#skewMs;
  }

  #tellState(): void {
    const ageMs = this.#clock.now() - this.#updatedAt;
    const isFailing = this.#failingSince !== undefined;
    document.body.classList.toggle('offline', isFailing);
    const mode = isFailing ? 'Not live' : 'Live';
    setText('live', `${this.#isPaused ? 'Paused' : mode}, updated ${spanText(ageMs)} ago`);
    const at = (timeMs: number): string => new Date(timeMs).toLocaleTimeString();
    setText(
      'connection',
      this.#failingSince === undefined
        ? ''
        : `The exporter has not answered since ${at(this.#failingSince)}. Shown is what it said at ${at(this.#updatedAt)}.`,
    );
  }
}

function servedAt(body: HTMLElement): number {
  return Date.parse(body.dataset.now ?? '');
}

function scriptOf(page: Document): string | null | undefined {
  return page.querySelector('script')?.getAttribute('src');
}

/** What the script owns is taken over from the page in view. */
function keepOwn(page: Document): void {
  page.body.className = document.body.className;
}

function setText(id: string, text: string): void {
  const element = document.getElementById(id);
  if (element && element.textContent !== text) element.textContent = text;
}
