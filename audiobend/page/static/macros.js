// Macros: sixteen numbers, each of which moves what it is bound to. In the chain, above the output.

import {$, attr, h, icon, say} from './dom.js';
import {tellEngine} from './engine.js';
import {HOLD, SLACK} from './gesture.js';
import {typed, written} from './numbers.js';
import {playable} from './slider.js';
import {closeSheet, openSheet} from './sheet.js';
import {keep, paints, recalled, store, value} from './store.js';
import {speak} from './speak.js';

const COUNT = 16;
const RANGE = {name: 'macro', min: 0, max: 1, default: 0};
const address = (n) => `/audiobend/macro/${n}`;
let cells = [];
let touched = null;    // the last control that is no macro: what a macro is bound to
let shown = 0;

export function makeMacros() {
  paints('hello', build);
  paints('hello values', paint);
  paints('focus', () => { const at = store.focus?.address; if (at && !at.startsWith('/audiobend/macro/')) touched = at; });
}

/** What a macro moves: [{target, low, high}]. */
export function bindings(n) {
  const flat = store.values.get(`${address(n)}/bind`) ?? [];
  return Array.from({length: Math.floor(flat.length / 3)}, (_, i) => ({target: flat[3 * i], low: flat[3 * i + 1], high: flat[3 * i + 2]}));
}

function build() {
  const place = $('#macros');
  place.hidden = !store.table.has('/macro/{macro}');
  if (place.hidden || cells.length) return;
  cells = Array.from({length: COUNT}, (_, i) => cell(i + 1));
  const open = recalled('macros', false);
  const head = h('button.btn.ghost', {'data-act': 'macros', 'aria-expanded': open, onclick: toggle}, h('b', {text: 'Macros'}), h('span.cap', {id: 'macros-bound'}));
  place.replaceChildren(head, h('div.eight', {role: 'group', 'aria-label': 'Macros', hidden: !open}, ...cells.map((one) => one.node)));
}

function toggle({currentTarget}) {
  const open = currentTarget.getAttribute('aria-expanded') !== 'true';
  keep('macros', open);
  attr(currentTarget, 'aria-expanded', open);
  $('#macros .eight').hidden = !open;
}

function cell(n) {
  const read = () => Number(value(address(n), 0));
  const bar = h('i');
  const text = h('b');
  const node = h('div.macro', {role: 'slider', tabindex: 0, 'aria-label': `Macro ${n}`, 'aria-valuemin': 0, 'aria-valuemax': 1, 'data-address': address(n)}, bar, h('span', {text: n}), text);
  playable(node, {label: `macro ${n}`, address: address(n), range: RANGE, relative: true, travel: 160, read});
  node.addEventListener('contextmenu', (event) => { event.preventDefault(); openMacro(n); });
  node.addEventListener('keydown', (event) => { if (event.key === 'Enter') { event.preventDefault(); event.stopPropagation(); openMacro(n); } });
  holdable(node, () => openMacro(n));
  const paintCell = () => {
    const now = read();
    const bound = bindings(n);
    say(text, bound.length ? `${Math.round(100 * now)}` : '');
    bar.style.height = `${100 * now}%`;
    node.classList.toggle('bound', bound.length > 0);
    attr(node, 'aria-valuenow', +now.toFixed(3));
    attr(node, 'aria-valuetext', `${Math.round(100 * now)} %, ${bound.length ? `moves ${bound.map((one) => one.target).join(', ')}` : 'moves nothing; Enter binds it'}`);
  };
  return {node, paint: paintCell};
}

/** Do something where a finger is held still on a node. */
function holdable(node, act) {
  let timer = 0;
  let from = null;
  const end = () => clearTimeout(timer);
  node.addEventListener('pointerdown', (event) => { from = event; end(); if (!event.button) timer = setTimeout(act, HOLD); });
  node.addEventListener('pointermove', (event) => { if (from && Math.hypot(event.clientX - from.clientX, event.clientY - from.clientY) > SLACK) end(); });
  for (const type of ['pointerup', 'pointercancel']) node.addEventListener(type, () => { from = null; end(); });
}

function paint() {
  for (const one of cells) one.paint();
  const bound = Array.from({length: COUNT}, (_, i) => bindings(i + 1).length).filter(Boolean).length;
  if (cells.length) say($('#macros-bound'), bound ? `${bound} bound` : 'none bound');
  if (shown) { const rows = $('#bindings'); const mark = JSON.stringify(bindings(shown)); if (rows && rows.dataset.mark !== mark) { rows.dataset.mark = mark; rows.replaceChildren(...list(shown)); } }
}

/** The sheet of a macro: what it moves and how far, and what else it can be bound to. */
function openMacro(n) {
  shown = n;
  const path = touched?.replace('/audiobend/', '').replace(/^bend\//, '');
  const bind = h('button.btn.main', {'data-act': 'bind', onclick: () => { tellEngine([`${address(n)}/bind`, path]); speak(`Macro ${n} moves ${path}`); }}, path ? `Bind ${path}` : 'Touch a control first');
  bind.disabled = !path;
  const rows = h('div', {id: 'bindings', 'data-mark': JSON.stringify(bindings(n))}, ...list(n));
  openSheet('macro', `Macro ${n}`, h('div.sc', {}, rows, bind, h('p.note', {text: 'Touch any control, then come back here. A low end above the high end turns it around.'})), path ? bind : null, () => { shown = 0; });
}

function list(n) {
  const rows = bindings(n).map((one) => row(n, one));
  return rows.length ? rows : [h('p.note', {text: 'It moves nothing yet.'})];
}

function row(n, {target, low, high}) {
  const field = (words, now) => h('input.field.end', {type: 'text', inputmode: 'decimal', 'aria-label': `${target} ${words}`, value: typeof now === 'number' ? written(now, 2).replace(/\.?0+$/, '') : now});
  const [from, to] = [field('at 0', low), field('at 100 %', high)];
  const change = () => { const ends = [typed(from.value), typed(to.value)]; if (ends.every(Number.isFinite)) tellEngine([`${address(n)}/bind`, target, ...ends]); };
  for (const one of [from, to]) { one.addEventListener('change', change); one.addEventListener('keydown', (event) => { if (event.key !== 'Escape') event.stopPropagation(); else { event.stopPropagation(); closeSheet(); } }); }
  return h('div.bound', {'data-bound': target}, h('code', {text: target}), from, h('span', {text: '…'}), to,
    h('button.btn.ghost', {'aria-label': `Unbind ${target}`, 'data-act': 'unbind', onclick: () => tellEngine([`${address(n)}/unbind`, target])}, icon('x')));
}
