// Hands on cells: pointers, wheel and keys become commands.

import {$$} from './dom.js';
import {hold, release, slide, tellEngine} from './engine.js';
import {gesture, HOLD, idle} from './gesture.js';
import {openCell} from './cellsheet.js';
import {fromShare, toShare} from './numbers.js';
import {addressOf, amount, bendOf, bendsAt, placeId, shownAt, store, strengthOf, touch} from './store.js';
import {speak} from './speak.js';

// What a first touch sets where the engine's own default changes nothing one could hear.
const FIRST = {translate: 0.12, roll: 0.25, scale: 1.5, rotate: 30, shear: 0.5, 'scalar-multiply': 2, offset: 1, erode: 3, dilate: 3};

let state = idle;
let timer = 0;
let fingers = 0;
let exact = {};

/** The bend that a touch of a cell means: of the chosen transform there, or a new one by its place. */
export function meant(key) {
  const [layer, cluster] = key.split('/');
  const there = bendsAt(layer, cluster).find((bend) => bend.transform === store.transform);
  const features = cluster === 'all' ? 'all' : `cluster ${cluster}`;
  return there ?? {id: placeId(layer, features, store.transform), layer, features, transform: store.transform, on: false, fresh: true};
}

export const isOn = (key) => meant(key).on;

export function switchCell(key, on) {
  const bend = meant(key);
  const commands = [[addressOf(bend.id, 'on'), on ? 1 : 0]];
  const param = strengthOf(bend.transform);
  const first = FIRST[bend.transform];
  const neutral = bend.fresh || (param.name !== 'mix' && amount(bend, param.name) === param.default);
  if (on && first !== undefined && neutral) commands.unshift([addressOf(bend.id, param.name), first]);
  tellEngine(...commands);
  if (on) focusCell(key);
  const cell = document.querySelector(`[data-cell="${key}"]`);
  requestAnimationFrame(() => requestAnimationFrame(() => cell && speak(cell.getAttribute('aria-label'))));
}

/** Turn the strength of what a cell shows by a share of its range. */
export function turnCell(key, share) {
  const [layer, cluster] = key.split('/');
  const bend = shownAt(layer, cluster) ?? bendOf(meant(key).id);
  if (!bend) return;
  const param = strengthOf(bend.transform);
  const address = addressOf(bend.id, param.name);
  const before = exact.address === address ? exact.share : toShare(amount(bend, param.name), param);
  exact = {address, share: Math.min(1, Math.max(0, before + share))};
  const value = fromShare(exact.share, param);
  slide(address, param.whole ? value : +value.toPrecision(6));
}

function resetCell(key) {
  const bend = meant(key);
  const param = strengthOf(bend.transform);
  slide(addressOf(bend.id, param.name), FIRST[bend.transform] ?? param.default);
}

export function focusCell(key) {
  const bend = shownAt(...key.split('/')) ?? meant(key);
  const param = strengthOf(bend.transform);
  store.focus = {cell: key, address: addressOf(bend.id, param.name), range: param, read: () => { const one = bendOf(bend.id); return one ? amount(one, param.name) : param.default; }};
  touch('focus');
}

export function makeHands(grid) {
  const keyAt = (event) => event.target.closest?.('[data-cell]')?.dataset.cell;
  grid.addEventListener('pointerdown', (event) => {
    fingers++;
    const key = keyAt(event);
    if (!key || event.button || store.link !== 'up') return;
    const node = event.target.closest('[data-cell]');
    node.setPointerCapture(event.pointerId);
    arrive(node);
    exact = {};
    step({type: 'down', cell: key, y: event.clientY, time: event.timeStamp, on: isOn(key)});
    clearTimeout(timer);
    // Movements that wait in a busy browser come before the next frame: the finger may not have held still.
    timer = setTimeout(() => requestAnimationFrame(() => step({type: 'hold'})), HOLD);
    hold(store.focus.address);
  });
  grid.addEventListener('pointermove', (event) => {
    if (state.press) step({type: 'move', y: event.clientY, fine: event.shiftKey || fingers > 1});
  });
  const end = (type) => (event) => {
    fingers = Math.max(0, fingers - 1);
    clearTimeout(timer);
    if (store.focus) release(store.focus.address);
    step({type, time: event.timeStamp});
  };
  grid.addEventListener('pointerup', end('up'));
  grid.addEventListener('pointercancel', end('cancel'));
  grid.addEventListener('contextmenu', (event) => { const key = keyAt(event); if (key) { event.preventDefault(); openCell(key); } });
  grid.addEventListener('wheel', (event) => {
    const key = keyAt(event);
    if (!key) return;
    event.preventDefault();
    turnCell(key, (event.deltaY < 0 ? 1 : -1) * (event.shiftKey ? 0.002 : 0.02));
  }, {passive: false});
  grid.addEventListener('focusin', (event) => { const key = keyAt(event); if (key) focusCell(key); });
  grid.addEventListener('click', (event) => { const key = keyAt(event); if (key && event.detail === 0 && !store.keyed) switchCell(key, !isOn(key)); });
}

function step(event) {
  const [next, effects] = gesture(state, event);
  state = next;
  for (const [kind, key, value] of effects) {
    if (kind === 'switch') switchCell(key, value);
    else if (kind === 'turn') turnCell(key, value);
    else if (kind === 'reset') resetCell(key);
    else openCell(key, true);
  }
}

/** Focus moves to a cell; one cell of the grid is reached by Tab. */
export function arrive(node) {
  for (const one of $$('#grid [tabindex="0"]')) one.tabIndex = -1;
  node.tabIndex = 0;
  node.focus({preventScroll: true});
}
