import { systemClock } from '../../clock.js';
import { LivePage } from './live.js';
import { followLinks } from './navigation.js';

const clock = systemClock();
const page = new LivePage(clock);

const pause = document.getElementById('pause');
pause?.addEventListener('click', () => {
  const isPaused = pause.getAttribute('aria-pressed') !== 'true';
  pause.setAttribute('aria-pressed', String(isPaused));
  page.paused = isPaused;
});
pause?.parentElement?.removeAttribute('hidden');

followLinks(page, clock);
page.start();
