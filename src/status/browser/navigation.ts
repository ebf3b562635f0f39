import type { Clock } from '../../clock.js';
import type { LivePage } from './live.js';

const TYPING_MS = 200;

/**
 * Links to the page itself and its form change the view without loading the page anew. The address says what is shown,
 * at any time, so that it can be sent to someone else; back and forward work.
 */
export function followLinks(page: LivePage, clock: Clock): void {
  document.addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest<HTMLAnchorElement>('a[href^="?"]') : null;
    if (!link || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    void go(page, link);
  });
  document.addEventListener('submit', (event) => {
    event.preventDefault();
    if (event.target instanceof HTMLFormElement) void filter(page, event.target);
  });
  let cancelTyping = (): void => undefined;
  document.addEventListener('input', ({ target }) => {
    if (!(target instanceof HTMLInputElement || target instanceof HTMLSelectElement) || !target.form) return;
    const { form } = target;
    cancelTyping();
    cancelTyping = clock.after(target instanceof HTMLInputElement ? TYPING_MS : 0, () => void filter(page, form));
  });
  document.addEventListener('keydown', (event) => {
    const close = document.querySelector<HTMLAnchorElement>('a[data-close]');
    if (event.key === 'Escape' && close && !(event.target instanceof HTMLInputElement)) close.click();
  });
  addEventListener('popstate', () => void page.show(location.href));
}

async function go(page: LivePage, link: HTMLAnchorElement): Promise<void> {
  const before = new URLSearchParams(location.search).get('open');
  history.pushState(null, '', link.href);
  await page.show(link.href);
  const open = new URLSearchParams(location.search).get('open');
  if (open !== before) focusDetail(open, before);
}

/** Focus follows into the detail, and back to the row when it closes. */
function focusDetail(open: string | null, before: string | null): void {
  if (open !== null) return document.getElementById('detail')?.focus();
  for (const row of document.querySelectorAll<HTMLElement>('tr[data-key]')) {
    if (row.dataset.key === before) row.querySelector<HTMLElement>('a[data-key="open"]')?.focus();
  }
}

async function filter(page: LivePage, form: HTMLFormElement): Promise<void> {
  const parameters = new URLSearchParams();
  for (const [name, value] of new FormData(form)) {
    if (typeof value === 'string' && value !== '') parameters.append(name, value);
  }
  const url = `?${parameters.toString()}`;
  history.replaceState(null, '', url);
  await page.show(url);
}
