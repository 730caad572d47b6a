// The bottom line: the address and value of what has focus; copy, learn; what was heard, refused or came late.

import {$, attr, say} from './dom.js';
import {learn, stop} from './learn.js';
import {draws} from './loop.js';
import {shown, unit} from './numbers.js';
import {paints, store, value} from './store.js';
import {speak} from './speak.js';

export function makeAddress() {
  paints('hello focus bends values', paint);
  paints('hello heard status learning', told);
  $('[data-act=copy]').addEventListener('click', copy);
  $('[data-act=learn]').addEventListener('click', () => (store.learning ? stop() : learn()));
  document.addEventListener('focusin', ({target}) => { const address = target.dataset?.address; if (address && address !== store.focus?.address) { store.focus = {address, read: () => value(address)}; paint(); } });
  draws(30, told);
}

function paint() {
  const focus = store.focus;
  say($('#address'), focus?.address ?? '/audiobend');
  const now = focus?.read?.();
  say($('#value'), now === undefined || now === null ? '' : typeof now === 'number' ? (focus.range?.max !== undefined ? shown(now, focus.range) + unit(focus.range.unit) : String(+now.toFixed(3))) : String(now));
}

const ago = (at) => { const seconds = Math.round((performance.now() - at) / 1000); return seconds < 1 ? 'now' : `${seconds} s ago`; };

function told() {
  if (!store.hello) return;
  const line = $('#heard');
  const {refused, heard, warning, learning} = store;
  const fresh = refused && performance.now() - refused.at < 8000;
  attr(line, 'class', `heard${learning ? ' learning' : fresh || warning ? ' bad' : ''}`);
  attr($('[data-act=learn]'), 'aria-pressed', Boolean(learning));
  if (learning) say(line, 'Learning: turn a knob, press a pad or send any address. Esc leaves it as it was.');
  else if (fresh) say(line, `! ${refused.sentence}`);
  else if (warning) say(line, `${warning} Choose studio latency, or a narrower model.`);
  else if (heard) say(line, `heard ${ago(heard.at)}: ${heard.address} ${heard.value ?? ''}${heard.from ? ` from ${heard.from}` : ''}`);
  else say(line, '');
}

export async function copy() {
  try { await navigator.clipboard.writeText($('#address').textContent); speak('Address copied'); } catch { speak('The browser does not allow copying'); }
}
