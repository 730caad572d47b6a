// The chain: every bend in order, what it does, and the output at its end.

import {$, attr, glyph, h, icon, say} from './dom.js';
import {bendBody} from './bendbody.js';
import {alone, isAlone, solo, tellEngine, undo} from './engine.js';
import {openAdd} from './addsheet.js';
import {strengthText} from './grid.js';
import {draws} from './loop.js';
import {moved, placeAt} from './order.js';
import {addressOf, bendOf, paints, soloed, store, strengthOf, touch, value} from './store.js';
import {hueOf, theme} from './theme.js';
import {speak} from './speak.js';
import {where} from './words.js';

let cards = new Map();
let shape = '';

export function makeChain() {
  paints('hello bends values link open', paint);
  paints('hello values', counts);
  $('[data-act=add]').addEventListener('click', openAdd);
  $('[data-act=undo]').addEventListener('click', () => undo());
  $('[data-act=redo]').addEventListener('click', () => undo(false));
  draws(2, tick);
}

function counts() {
  $('[data-act=undo]').disabled = !(value('/audiobend/undo/count', 0) > 0) && !store.panicked;
  $('[data-act=redo]').disabled = !(value('/audiobend/redo/count', 0) > 0);
}

/** What must be built anew when it changes: the list, which card is open, what its rows depend on. */
function shapeOf() {
  const open = bendOf(store.open);
  const moving = open ? [...store.values].filter(([key, lfo]) => key.startsWith(`/audiobend/bend/${open.id}/`) && key.endsWith('/lfo')).map(([key, lfo]) => key + lfo[0]) : [];
  const kind = open ? `${open.features.startsWith('random') ? 'random' : open.features} ${open.layer}` : '';
  return [store.bends.map((bend) => `${bend.id} ${bend.layer} ${bend.transform}`), store.open, kind, moving].join('|');
}

function paint() {
  const wanted = shapeOf();
  if (wanted !== shape) { shape = wanted; build(); }
  for (const card of cards.values()) paintCard(card);
  const on = store.bends.filter((bend) => bend.on).length;
  say($('#count'), !store.bends.length ? '' : on ? `${on} of ${store.bends.length} on` : 'all off');
}

function build() {
  const focused = document.activeElement?.closest?.('#cards') ? focusPath() : null;
  cards = new Map(store.bends.map((bend) => [bend.id, makeCard(bend)]));
  $('#cards').replaceChildren(...[...cards.values()].map((card) => card.node), ...(cards.size ? [] : [empty()]));
  if (focused) $(focused)?.focus({preventScroll: true});
}

function focusPath() {
  const active = document.activeElement;
  const card = active.closest('[data-card]')?.dataset.card;
  const part = ['act', 'address', 'option'].find((name) => active.dataset[name]);
  return card && part ? `[data-card="${card}"] [data-${part}="${active.dataset[part]}"]` : card ? `[data-card="${card}"] [data-act=expand]` : null;
}

const empty = () => h('div.none', {}, h('b', {text: 'Nothing is bent.'}), `What goes in comes out, a little blurred: ${store.layers.find((one) => one.name === 'z')?.features ?? 512} numbers are all the network keeps of it.`, h('br'), h('br'), 'Choose a transform, then tap a cell.');

function makeCard(bend) {
  const {id} = bend;
  const live = () => bendOf(id) ?? bend;
  const switchIt = () => { const on = !live().on; tellEngine([addressOf(id, 'on'), on ? 1 : 0]); speak(`${id} ${on ? 'on' : 'off'}`); };
  const card = {bend, id, open: store.open === id};
  card.sw = h('button.sw', {role: 'switch', 'aria-label': title(bend), 'data-act': 'switch', onclick: switchIt}, h('span', {}, glyph(bend.transform)));
  card.sentence = h('span');
  card.title = h('button.ti', {'data-act': 'expand', 'aria-expanded': card.open, onclick: () => expand(id)}, h('b', {text: title(bend)}), card.sentence);
  card.now = h('span.now');
  const small = (act, letter, words, run) => store.table.has('/solo') ? h('button', {'data-act': act, 'aria-label': `${words}: ${title(bend)}`, onclick: () => run(id)}, h('span', {text: letter})) : null;
  card.solo = small('solo', 'S', 'Solo', solo);
  card.delta = small('delta', 'Δ', 'Hear the difference', alone);
  card.head = h('div.head', {}, h('span.drag', {'aria-hidden': 'true'}, icon('drag')), card.sw, card.title, card.now, h('div.smd', {}, ...[card.solo, card.delta].filter(Boolean)));
  if (card.open) card.body = bendBody(live());
  const remove = store.table.has('/chain/remove') ? h('button.btn', {'data-act': 'remove', onclick: () => tellEngine(['/audiobend/chain/remove', id])}, 'Remove') : null;
  card.node = h('div.card', {role: 'listitem', 'data-card': id, 'data-hue': hueOf(bend.layer)}, card.head, ...(card.body ? [h('div.body', {}, ...card.body.nodes, h('div.foot', {}, remove))] : []));
  card.node.classList.toggle('open', card.open);
  if (store.table.has('/chain/order')) draggable(card);
  card.node.addEventListener('focusin', (event) => { if (!event.target.dataset.address) focusBend(id); });
  return card;
}

/** How a bend is called: by its own name, or by what it is where it was made on the grid. */
const title = (bend) => (/^layer[^.]+\./.test(bend.id) ? bend.transform : bend.id);

export function focusBend(id) {
  const bend = bendOf(id);
  if (!bend) return;
  const param = strengthOf(bend.transform);
  store.focus = {bend: id, address: addressOf(id, param.name), range: param, read: () => (param.name === 'mix' ? bendOf(id)?.mix : bendOf(id)?.params[param.name])};
  touch('focus');
}

export function expand(id) {
  store.open = store.open === id ? null : id;
  touch('open');
}

function paintCard(card) {
  const bend = bendOf(card.id);
  if (!bend) return;
  const error = store.errors.get(bend.id);
  card.bend = bend;
  card.node.classList.toggle('off', !bend.on);
  card.node.classList.toggle('error', Boolean(error));
  attr(card.sw, 'aria-checked', bend.on);
  say(card.sentence, error ? `! ${error}` : /^layer[^.]+\./.test(bend.id) ? where(bend, store.layers) : `${bend.transform}, ${where(bend, store.layers)}`);
  say(card.now, bend.on ? strengthText(bend) : '');
  if (card.solo) attr(card.solo, 'aria-pressed', soloed().includes(bend.id));
  if (card.delta) attr(card.delta, 'aria-pressed', isAlone(bend.id));
  card.body?.paint();
}

function tick() {
  if (theme.reduced || store.link === 'lost') return;
  for (const card of cards.values()) {
    card.body?.tick();
    const param = strengthOf(card.bend.transform);
    const now = store.moving.get(`/audiobend/bend/${card.id}/${param.name}`);
    if (card.bend.on && now !== undefined) say(card.now, strengthText(card.bend, param.name === 'mix' ? undefined : now));
  }
}

// --- another order ---

export function moveBend(id, by) {
  const from = store.bends.findIndex((bend) => bend.id === id);
  const to = Math.max(0, Math.min(store.bends.length - 1, from + by));
  if (from < 0 || to === from || !store.table.has('/chain/order')) return;
  tellEngine(['/audiobend/chain/order', moved(store.bends, from, to).map((bend) => bend.id).join(' ')]);
  speak(`${id}: place ${to + 1} of ${store.bends.length}`);
}

function draggable(card) {
  let from = null;
  const boxes = () => [...cards.values()].map(({node}) => ({top: node.offsetTop, height: node.offsetHeight}));
  card.head.addEventListener('pointerdown', (event) => {
    if (event.button || event.target.closest('.sw,.smd')) return;
    from = {y: event.clientY, id: event.pointerId, at: store.bends.findIndex((bend) => bend.id === card.id), boxes: boxes(), dragging: false};
  });
  card.head.addEventListener('pointermove', (event) => {
    if (!from) return;
    const by = event.clientY - from.y;
    if (!from.dragging && Math.abs(by) < 6) return;
    if (!from.dragging) { from.dragging = true; card.head.setPointerCapture(from.id); card.node.classList.add('held'); }
    card.node.style.transform = `translateY(${by}px)`;
    const own = from.boxes[from.at];
    from.to = placeAt(own.top + by + Math.min(own.height, 45) / 2, from.boxes, from.at);
    [...cards.values()].forEach((other, i) => { if (other !== card) other.node.classList.toggle('gap', i === from.to + (from.to >= from.at ? 1 : 0)); });
  });
  const end = (event) => {
    if (!from) return;
    const {dragging, at, to} = from;
    from = null;
    card.node.style.transform = '';
    card.node.classList.remove('held');
    for (const other of cards.values()) other.node.classList.remove('gap');
    if (!dragging) return;
    card.title.addEventListener('click', (click) => click.stopImmediatePropagation(), {capture: true, once: true});
    setTimeout(() => { if (to !== undefined && event.type === 'pointerup') moveBend(card.id, to - at); });
  };
  card.head.addEventListener('pointerup', end);
  card.head.addEventListener('pointercancel', end);
}
