// Connection: lost, trying again, back.

import {$, say} from './dom.js';
import {retry} from './engine.js';
import {draws} from './loop.js';
import {paints, store} from './store.js';

const root = document.documentElement;
let until = 0;
let last = '';

export function makeBanner() {
  $('[data-act=retry]').addEventListener('click', retry);
  paints('link', paint);
  draws(15, paint);
}

/** Also before the first hello: the page says that it waits. */
export function paint() {
  if (store.link !== last) { last = store.link; root.dataset.link = store.link; until = 0; }
  const banner = $('#banner');
  const lost = store.link === 'lost';
  const back = store.back && performance.now() - store.back < 4000;
  banner.hidden = !lost && !back;
  $('[data-act=retry]').hidden = !lost;
  if (lost) {
    if (!until || store.retryAt !== until) { until = store.retryAt = performance.now() + 1000 * store.retry; }
    say($('b', banner), store.hello ? 'This page lost the engine.' : 'There is no engine yet.');
    say($('span', banner), store.hello ? `The sound may well go on; only the page is blind. Trying again in ${store.retry} s.` : `Start audiobend live. Trying again in ${store.retry} s.`);
  } else if (back) { say($('b', banner), 'Back.'); say($('span', banner), 'Nothing was lost.'); }
  for (const node of document.querySelectorAll('#main button, #main [role=slider], #main select')) if (lost !== node.classList.contains('gone')) node.classList.toggle('gone', lost);
}
