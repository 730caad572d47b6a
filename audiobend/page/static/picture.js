// The picture beside the sound: bent by the same gestures, where the engine paints one.

import {$} from './dom.js';
import {paints, store} from './store.js';

const AGAIN = 3000;
let shown = '';
let tries = 0;

export function makePicture() {
  const image = $('#picture');
  paints('hello link', show);
  image.addEventListener('error', () => { if (shown) setTimeout(() => { if (shown) image.src = `${shown}?${++tries}`; }, AGAIN); });
}

function show() {
  const image = $('#picture');
  const wanted = store.link === 'up' ? store.hello.picture ?? '' : '';
  if (wanted === shown) return;
  shown = wanted;
  image.hidden = !wanted;
  if (wanted) image.src = `${wanted}?${++tries}`;
  else image.removeAttribute('src');
  $('.stage').classList.toggle('pictured', Boolean(wanted));
}
